"""The tables: jobs and batches, API keys, what a job leaves (`histories`), by what it is found later (`summaries`), the
files that it is trained on, workers and what they hold (`fleet`)."""

from gradyard.store.tables.api_keys import ApiKey
from gradyard.store.tables.audit import AuditEntry
from gradyard.store.tables.base import Table
from gradyard.store.tables.batches import IS_FOLLOWED_BATCH, Batch, DeletedBatch
from gradyard.store.tables.dependencies import HAS_BLOCKED_JOBS, IS_DECIDED, IS_WAITING, Wait, WaitsFor
from gradyard.store.tables.files import File, FileContent, JobFile, PreparedPlace, UnclaimedContent
from gradyard.store.tables.fleet import Bell, Claim, Counter, Hold, Worker
from gradyard.store.tables.histories import (
    Artifact,
    AttemptLog,
    Checkpoint,
    JobEvent,
    LossChunk,
    MetricChunk,
    Recheck,
    Result,
)
from gradyard.store.tables.jobs import (
    IS_BLOCKED,
    IS_FOLLOWED_AND_OVER,
    IS_PINNED,
    IS_QUEUED,
    IS_RUNNING,
    IS_WAITING_AGAIN,
    DeletedJob,
    IdempotencyKey,
    Job,
    Project,
)
from gradyard.store.tables.page_sessions import PageSession
from gradyard.store.tables.storage import SIZES, JobSize, ProjectStorage, Retention, bytes_of
from gradyard.store.tables.summaries import (
    FIGURES_IN_ORDER,
    METRICS_IN_ORDER,
    JobParameter,
    JobSummary,
    JobTag,
    MetricSummary,
    ParameterSet,
)
from gradyard.store.tables.webhooks import Webhook, WebhookDelivery, WebhookNotice

__all__ = [
    "FIGURES_IN_ORDER",
    "HAS_BLOCKED_JOBS",
    "IS_BLOCKED",
    "IS_DECIDED",
    "IS_FOLLOWED_AND_OVER",
    "IS_FOLLOWED_BATCH",
    "IS_PINNED",
    "IS_QUEUED",
    "IS_RUNNING",
    "IS_WAITING",
    "IS_WAITING_AGAIN",
    "METRICS_IN_ORDER",
    "SIZES",
    "ApiKey",
    "Artifact",
    "AttemptLog",
    "AuditEntry",
    "Batch",
    "Bell",
    "Checkpoint",
    "Claim",
    "Counter",
    "DeletedBatch",
    "DeletedJob",
    "File",
    "FileContent",
    "Hold",
    "IdempotencyKey",
    "Job",
    "JobEvent",
    "JobFile",
    "JobParameter",
    "JobSize",
    "JobSummary",
    "JobTag",
    "LossChunk",
    "MetricChunk",
    "MetricSummary",
    "PageSession",
    "ParameterSet",
    "PreparedPlace",
    "Project",
    "ProjectStorage",
    "Recheck",
    "Result",
    "Retention",
    "Table",
    "UnclaimedContent",
    "Wait",
    "WaitsFor",
    "Webhook",
    "WebhookDelivery",
    "WebhookNotice",
    "Worker",
    "bytes_of",
]  # fmt: skip
