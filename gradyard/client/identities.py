"""Jobs, batches and the like as methods take them: an object that the service answered with, or its id or name."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote
from uuid import UUID

from gradyard.shapes import (
    ApiKey,
    Batch,
    BatchRetried,
    BatchSummary,
    File,
    Job,
    JobValues,
    Queue,
    Stage,
    Webhook,
    WebhookDelivery,
    Worker,
)

JobLike = Job | JobValues | str
"""A job, or its id."""
BatchLike = Batch | BatchSummary | BatchRetried | str
"""A batch, or its id."""
KeyLike = ApiKey | str
"""A key, or its id."""
WorkerLike = Worker | str
"""A worker, which stands for its slot; or a host, SLOT@HOST or a slot."""
QueueLike = Queue | str
"""A queue, or its name."""
FileLike = File | str
"""A file, or its id."""
WebhookLike = Webhook | str
"""A webhook, or its id."""
DeliveryLike = WebhookDelivery | str
"""A message of a webhook, or its id."""
DependencyLike = JobLike | BatchLike | Mapping[str, Any]
"""A job or batch that must end before, or its id; or `{"id": JOB, "condition": "ended"}`."""
StageLike = Stage | str
"""A stage, or its name."""


def job_id(job: JobLike) -> str:
    """The id of a job. Raises TypeError for anything else, a batch included."""
    return job.id if isinstance(job, Job | JobValues) else _text(job, "a job or its id")


def batch_id(batch: BatchLike) -> str:
    """The id of a batch. Raises TypeError for anything else, a job included."""
    return batch.id if isinstance(batch, BatchSummary | BatchRetried) else _text(batch, "a batch or its id")


def batch_id_if_any(batch: BatchLike | None) -> str | None:
    """The id of a batch that a list may be limited to."""
    return None if batch is None else batch_id(batch)


def dependencies(given: DependencyLike | Iterable[DependencyLike] | None) -> dict[str, Any]:
    """What a job depends on as a part of its spec: one job or batch or several; nothing where that is None.

    Raises TypeError for anything else.
    """
    if given is None:
        return {}
    one = isinstance(given, str | UUID | Mapping | Job | JobValues | BatchSummary | BatchRetried)
    several: Iterable[Any] = [given] if one else given
    return {"depends_on": [_dependency(each) for each in several]}


def _dependency(given: Any) -> Any:
    if isinstance(given, Mapping):
        return {**given, "id": _dependency(given["id"])} if "id" in given else dict(given)
    if isinstance(given, BatchSummary | BatchRetried | Job | JobValues):
        return given.id
    return _text(given, "a job, a batch or an id")


def stage_name(stage: StageLike) -> str:
    """The name of a stage. Raises TypeError for anything else."""
    return stage.name if isinstance(stage, Stage) else _text(stage, "a stage or its name")


def job_path(job: JobLike) -> str:
    """The path of a job below the service's address."""
    return f"/v1/jobs/{quote(job_id(job), safe='')}"


def batch_path(batch: BatchLike) -> str:
    """The path of a batch below the service's address."""
    return f"/v1/batches/{quote(batch_id(batch), safe='')}"


def key_path(key: KeyLike) -> str:
    """The path of a key below the service's address."""
    return f"/v1/keys/{quote(key.id if isinstance(key, ApiKey) else _text(key, 'a key or its id'), safe='')}"


def file_path(file: FileLike) -> str:
    """The path of a file below the service's address."""
    one = file.id if isinstance(file, File) else _text(file, "a file or its id")
    return f"/v1/files/{quote(one, safe='')}"


def webhook_path(webhook: WebhookLike) -> str:
    """The path of a webhook below the service's address."""
    one = webhook.id if isinstance(webhook, Webhook) else _text(webhook, "a webhook or its id")
    return f"/v1/webhooks/{quote(one, safe='')}"


def delivery_path(webhook: WebhookLike, delivery: DeliveryLike) -> str:
    """The path of a message below the service's address."""
    one = delivery.id if isinstance(delivery, WebhookDelivery) else _text(delivery, "a message or its id")
    return f"{webhook_path(webhook)}/deliveries/{quote(one, safe='')}"


def worker_path(worker: WorkerLike) -> str:
    """The path of a host or a slot below the service's address."""
    one_slot = f"{worker.slot}@{worker.host}" if isinstance(worker, Worker) else None
    return f"/v1/workers/{quote(one_slot or _text(worker, 'a worker, a host or a slot'), safe='')}"


def queue_path(queue: QueueLike) -> str:
    """The path of a queue below the service's address."""
    name = str(queue.name) if isinstance(queue, Queue) else _text(queue, "a queue or its name")
    return f"/v1/queues/{quote(name, safe='')}"


def _text(given: Any, wanted: str) -> str:
    if isinstance(given, str | UUID):
        return str(given)
    name = type(given).__name__
    raise TypeError(f"{wanted} is needed, not {'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}")
