"""The shapes of answers, as the OpenAPI document describes them; nothing at run time is made of them."""

from gradyard.shapes.api_keys import Key, KeyList, NewKey
from gradyard.shapes.batches import Batch, BatchAccepted, BatchList, BatchSummary, BestJobs
from gradyard.shapes.fleet import (
    Health,
    Hold,
    Queue,
    QueueList,
    Readiness,
    RefusedPlugin,
    StageFacts,
    StageList,
    StageWithSchema,
    Worker,
    WorkerList,
)
from gradyard.shapes.jobs import (
    AttemptLog,
    Event,
    EventList,
    FieldError,
    Job,
    JobList,
    JobResult,
    LogList,
    Losses,
    LossFigures,
    Problem,
    Timings,
    Waiting,
    Warned,
)
from gradyard.shapes.metrics_and_artifacts import Artifact, ArtifactList, MetricCurve, MetricList

__all__ = [
    "Artifact", "ArtifactList", "AttemptLog", "Batch", "BatchAccepted", "BatchList", "BatchSummary", "BestJobs",
    "Event", "EventList", "FieldError", "Health", "Hold", "Job", "JobList", "JobResult", "Key", "KeyList",
    "LogList", "LossFigures", "Losses", "MetricCurve", "MetricList", "NewKey", "Problem", "Queue", "QueueList",
    "Readiness", "RefusedPlugin", "StageFacts", "StageList", "StageWithSchema", "Timings", "Waiting", "Warned",
    "Worker", "WorkerList",
]  # fmt: skip
