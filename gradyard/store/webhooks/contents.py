"""What stands in messages, read from rows of the outbox."""

from typing import Any

from sqlalchemy import Row

from gradyard.jobs.states import State
from gradyard.jobs.webhooks.events import EVENT_OF_STATE, NoticeKind, WebhookEvent
from gradyard.jobs.webhooks.messages import MOST_LETTERS, Data, Drain, EndedJob, LostWorker
from gradyard.store.dialects import as_datetime


def told(notice: Row[Any]) -> tuple[WebhookEvent, Data]:
    """The message that a notice asks for: its kind, and its data. notice: with the name of its `project`."""
    kind = NoticeKind(notice.kind)
    if kind is NoticeKind.JOB:
        return EVENT_OF_STATE[State(notice.state)], _ended_job(notice)
    if kind is NoticeKind.WORKER_LOST:
        times = {name: as_datetime(notice.about[name]) for name in ("started_at", "heartbeat_at")}
        return WebhookEvent.WORKER_LOST, LostWorker(**notice.about | times)
    return WebhookEvent.WORKER_DRAINED, Drain(**notice.about)


def _ended_job(row: Row[Any]) -> EndedJob:
    return EndedJob(
        id=str(row.job_id), project=row.project, batch=row.batch_id and str(row.batch_id), stage=row.stage,
        name=row.name, tags=row.tags or {}, state=row.state, reason=row.reason,
        message=row.message and row.message[:MOST_LETTERS], submitted_at=as_datetime(row.submitted_at),
        started_at=as_datetime(row.started_at), finished_at=as_datetime(row.at),
        steps=row.steps, steps_done=row.steps_done, loss_last=row.loss_last, loss_min=row.loss_min,
    )  # fmt: skip
