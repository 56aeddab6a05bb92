"""The JSON of messages, as Standard Webhooks has it: `{"type", "timestamp", "data"}`."""

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from gradyard.jobs.webhooks.events import WebhookEvent

MOST_LETTERS = 2000  # of a job's message: a traceback is fetched, not sent


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class EndedJob(_Part):
    """A job as it was at its end. Its losses and results are fetched by its id, unless it was deleted since."""

    id: str
    project: str
    batch: str | None
    stage: str
    name: str | None
    tags: dict[str, str]
    state: Literal["succeeded", "failed", "cancelled"]
    reason: str | None
    message: str | None = Field(description=f"at most {MOST_LETTERS:,} letters of it")
    submitted_at: AwareDatetime
    started_at: AwareDatetime | None
    finished_at: AwareDatetime
    steps: int | None
    steps_done: int
    loss_last: float | None
    loss_min: float | None


class FinishedBatch(_Part):
    """A batch of which no job waits or runs any more. One that is retried finishes again.

    Name, size and counts are null where it was deleted before the message was made.
    """

    id: str
    project: str
    name: str | None
    size: int | None
    counts: dict[str, int] | None = Field(description="jobs by state, without those that were replaced")
    submitted_at: AwareDatetime | None
    finished_at: AwareDatetime


class LostWorker(_Part):
    """A worker process that is gone: its lease ran out, or a new process of its slot found it dead.

    Its jobs are queued again. One that comes back, and is lost again, has another message.
    """

    slot: str
    host: str
    queue: str
    pool: str | None
    pid: int
    device_name: str
    device_uuid: str | None
    started_at: AwareDatetime
    heartbeat_at: AwareDatetime
    detail: str


class Drain(_Part):
    """A host, slot or GPU that claims no jobs from now on, by whom and why."""

    kind: Literal["host", "slot", "gpu"]
    name: str = Field(description="a host, SLOT@HOST, or the UUID of a GPU")
    reason: str | None
    actor: str


class WebhookTest(_Part):
    """A message that was asked for, to try a webhook."""

    webhook: str
    url: str


Data = EndedJob | FinishedBatch | LostWorker | Drain | WebhookTest

DATA_OF: dict[WebhookEvent, type[_Part]] = {
    WebhookEvent.JOB_SUCCEEDED: EndedJob, WebhookEvent.JOB_FAILED: EndedJob, WebhookEvent.JOB_CANCELLED: EndedJob,
    WebhookEvent.BATCH_FINISHED: FinishedBatch, WebhookEvent.WORKER_LOST: LostWorker,
    WebhookEvent.WORKER_DRAINED: Drain, WebhookEvent.WEBHOOK_TEST: WebhookTest,
}  # fmt: skip
"""What stands in `data` of each kind of message."""


class Message(_Part):
    """A message: its kind, when that happened, and what happened."""

    type: WebhookEvent
    timestamp: AwareDatetime
    data: Data


def body_of(event: WebhookEvent, at: datetime, data: Data) -> str:
    """The JSON of a message. The same text is signed and sent at each try."""
    return Message(type=event, timestamp=at, data=data).model_dump_json()
