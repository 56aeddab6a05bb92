"""Each JSON answer as one model: the service builds it, OpenAPI shows it, the Client reads it."""

from gradyard.shapes.api_keys import ApiKey, ApiKeyList, NewApiKey
from gradyard.shapes.batches import (
    Batch,
    BatchAccepted,
    BatchDeleted,
    BatchList,
    BatchRetried,
    BatchSummary,
    BestJobs,
    Failures,
)
from gradyard.shapes.fleet import Health, Hold, Queue, QueueList, Readiness, Worker, WorkerList
from gradyard.shapes.histories import AttemptLog, Event, EventList, LogList, Losses, Predictions
from gradyard.shapes.jobs import Job, JobList, JobResult, JobWarning, LossFigures, Timings, Waiting
from gradyard.shapes.metrics_and_artifacts import Artifact, ArtifactList, MetricCurve, MetricList
from gradyard.shapes.problems import Candidate, FieldError, Problem
from gradyard.shapes.stages import GpuPays, GpuThreshold, RefusedPlugin, Stage, StageList, StageWithSchema

__all__ = [
    "ApiKey", "ApiKeyList", "Artifact", "ArtifactList", "AttemptLog", "Batch", "BatchAccepted", "BatchDeleted",
    "BatchList", "BatchRetried", "BatchSummary", "BestJobs", "Candidate", "Event", "EventList", "Failures",
    "FieldError", "GpuPays", "GpuThreshold", "Health", "Hold", "Job", "JobList", "JobResult", "JobWarning",
    "LogList", "LossFigures", "Losses", "MetricCurve", "MetricList", "NewApiKey", "Predictions", "Problem",
    "Queue", "QueueList", "Readiness", "RefusedPlugin", "Stage", "StageList", "StageWithSchema", "Timings",
    "Waiting", "Worker", "WorkerList",
]  # fmt: skip
