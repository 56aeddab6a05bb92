"""The tables: jobs and batches, API keys, what a job leaves (`histories`), by what it is found later (`summaries`),
workers and what they hold (`fleet`)."""

from gradyard.store.tables.api_keys import ApiKey
from gradyard.store.tables.base import Table
from gradyard.store.tables.fleet import Bell, Claim, Counter, Hold, Worker
from gradyard.store.tables.histories import Artifact, AttemptLog, Checkpoint, JobEvent, LossChunk, MetricChunk, Result
from gradyard.store.tables.jobs import (
    IS_QUEUED,
    IS_RUNNING,
    Batch,
    DeletedBatch,
    DeletedJob,
    IdempotencyKey,
    Job,
    Project,
)
from gradyard.store.tables.summaries import JobParameter, JobSummary, JobTag, MetricSummary, ParameterSet

__all__ = [
    "IS_QUEUED", "IS_RUNNING", "ApiKey", "Artifact", "AttemptLog", "Batch", "Bell", "Checkpoint", "Claim", "Counter",
    "DeletedBatch", "DeletedJob", "Hold", "IdempotencyKey", "Job", "JobEvent", "JobParameter", "JobSummary", "JobTag",
    "LossChunk", "MetricChunk", "MetricSummary", "ParameterSet", "Project", "Result", "Table", "Worker",
]  # fmt: skip
