"""Each JSON answer as one model: the service builds it, OpenAPI shows it, the Client reads it."""

from gradyard.shapes.api_keys import ApiKey, ApiKeyList, NewApiKey
from gradyard.shapes.batches import Batch, BatchAccepted, BatchList, BatchSummary, BestJobs
from gradyard.shapes.fleet import Health, Hold, Queue, QueueList, Readiness, Worker, WorkerList
from gradyard.shapes.histories import AttemptLog, Event, EventList, LogList, Losses
from gradyard.shapes.jobs import Job, JobList, JobResult, JobWarning, LossFigures, Timings, Waiting
from gradyard.shapes.metrics_and_artifacts import Artifact, ArtifactList, MetricCurve, MetricList
from gradyard.shapes.problems import FieldError, Problem
from gradyard.shapes.stages import GpuPays, GpuThreshold, RefusedPlugin, Stage, StageList, StageWithSchema

__all__ = [
    "ApiKey", "ApiKeyList", "Artifact", "ArtifactList", "AttemptLog", "Batch", "BatchAccepted", "BatchList",
    "BatchSummary", "BestJobs", "Event", "EventList", "FieldError", "GpuPays", "GpuThreshold", "Health", "Hold", "Job",
    "JobList", "JobResult", "JobWarning", "LogList", "LossFigures", "Losses", "MetricCurve", "MetricList", "NewApiKey",
    "Problem", "Queue", "QueueList", "Readiness", "RefusedPlugin", "Stage", "StageList", "StageWithSchema", "Timings",
    "Waiting", "Worker", "WorkerList",
]  # fmt: skip
