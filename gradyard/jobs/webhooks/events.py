"""What webhooks tell, and what becomes of a message."""

from enum import StrEnum

from gradyard.jobs.states import State


class WebhookEvent(StrEnum):
    """The kind of a message: its `type`."""

    JOB_SUCCEEDED = "job.succeeded"
    JOB_FAILED = "job.failed"
    JOB_CANCELLED = "job.cancelled"
    BATCH_FINISHED = "batch.finished"
    WORKER_LOST = "worker.lost"
    WORKER_DRAINED = "worker.drained"
    WEBHOOK_TEST = "webhook.test"


EVENT_OF_STATE = {
    State.SUCCEEDED: WebhookEvent.JOB_SUCCEEDED,
    State.FAILED: WebhookEvent.JOB_FAILED,
    State.CANCELLED: WebhookEvent.JOB_CANCELLED,
}
"""The message that a job's last move makes."""

OF_WORKERS = (WebhookEvent.WORKER_LOST, WebhookEvent.WORKER_DRAINED)
"""Of the service as a whole: for operators alone."""

OF_A_PROJECT = (*EVENT_OF_STATE.values(), WebhookEvent.BATCH_FINISHED)

CHOOSABLE = (*OF_A_PROJECT, *OF_WORKERS)
"""What a webhook may ask for. A test is sent when it is asked for, to any webhook."""


class NoticeKind(StrEnum):
    """What stands in the outbox: that a job has ended, or that a worker is lost or drained."""

    JOB = "job"
    WORKER_LOST = "worker_lost"
    WORKER_DRAINED = "worker_drained"


class DeliveryState(StrEnum):
    """What became of a message so far."""

    WAITING = "waiting"  # for its first try, or for the next one
    DELIVERED = "delivered"
    FAILED = "failed"  # at every try
