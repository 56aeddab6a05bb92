"""The tables, one room: what is asked (`jobs`) by whom (`keys`), what is left (`histories`), who does it (`fleet`)."""

from jobs.tables.base import Table
from jobs.tables.fleet import Bell, Claim, Counter, Hold, Worker
from jobs.tables.histories import Artifact, AttemptLog, Checkpoint, JobEvent, LossChunk, MetricChunk, Result
from jobs.tables.jobs import Batch, DeletedJob, IdempotencyKey, Job, Project
from jobs.tables.keys import ApiKey

__all__ = [
    "ApiKey", "Artifact", "AttemptLog", "Batch", "Bell", "Checkpoint", "Claim", "Counter", "DeletedJob", "Hold",
    "IdempotencyKey", "Job", "JobEvent", "LossChunk", "MetricChunk", "Project", "Result", "Table", "Worker",
]  # fmt: skip
