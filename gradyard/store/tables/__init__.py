"""The tables: jobs and batches, API keys, what a job leaves (`histories`), workers and what they hold (`fleet`)."""

from gradyard.store.tables.api_keys import ApiKey
from gradyard.store.tables.base import Table
from gradyard.store.tables.fleet import Bell, Claim, Counter, Hold, Worker
from gradyard.store.tables.histories import Artifact, AttemptLog, Checkpoint, JobEvent, LossChunk, MetricChunk, Result
from gradyard.store.tables.jobs import Batch, DeletedBatch, DeletedJob, IdempotencyKey, Job, Project

__all__ = [
    "ApiKey", "Artifact", "AttemptLog", "Batch", "Bell", "Checkpoint", "Claim", "Counter", "DeletedBatch",
    "DeletedJob", "Hold", "IdempotencyKey", "Job", "JobEvent", "LossChunk", "MetricChunk", "Project", "Result",
    "Table", "Worker",
]  # fmt: skip
