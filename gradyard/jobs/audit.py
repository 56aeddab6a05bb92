"""What the audit keeps: what people did with keys, workers and queues, what they changed and deleted."""

from enum import StrEnum


class Action(StrEnum):
    """One kind of entry of the audit. Moves of a single job are not among them: a job has events of its own."""

    KEY_CREATED = "key_created"
    KEY_ROTATED = "key_rotated"
    KEY_REVOKED = "key_revoked"
    DRAINED = "drained"
    UNDRAINED = "undrained"
    PAUSED = "paused"
    RESUMED = "resumed"
    JOB_DELETED = "job_deleted"
    BATCH_DELETED = "batch_deleted"
    JOB_CHANGED = "job_changed"
    # all jobs of a question
    JOBS_CANCELLED = "jobs_cancelled"
    JOBS_RETRIED = "jobs_retried"
    JOBS_DELETED = "jobs_deleted"
    JOBS_TAGGED = "jobs_tagged"
    # by the rules of its project
    RETENTION_SET = "retention_set"
    JOBS_EXPIRED = "jobs_expired"
    WEBHOOK_CREATED = "webhook_created"
    WEBHOOK_CHANGED = "webhook_changed"
    WEBHOOK_ROTATED = "webhook_rotated"
    WEBHOOK_DELETED = "webhook_deleted"
    WEBHOOK_RESENT = "webhook_resent"
    FILE_DELETED = "file_deleted"
