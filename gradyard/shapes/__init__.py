"""Each JSON answer as one model: the service builds it, OpenAPI shows it, the Client reads it."""

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
from gradyard.shapes.files import File, FileColumn, FileList
from gradyard.shapes.histories import (
    AttemptLog,
    Event,
    EventList,
    LogList,
    Losses,
    LossesOfJob,
    LossesOfJobs,
    Predictions,
)
from gradyard.shapes.jobs import (
    Dependency,
    Job,
    JobList,
    JobResult,
    JobValues,
    JobWarning,
    LossFigures,
    MetricFigures,
    Timings,
    Waiting,
)
from gradyard.shapes.live import BatchMoves, BatchNow, BestSoFar, CurvePart, Move, Progress, ProjectNow, RunningJob
from gradyard.shapes.metrics_and_artifacts import (
    Artifact,
    ArtifactList,
    MetricCurve,
    MetricList,
    MetricOfJob,
    MetricOfJobs,
)
from gradyard.shapes.operators.api_keys import ApiKey, ApiKeyList, NewApiKey
from gradyard.shapes.operators.audit import AuditEntry, AuditLog
from gradyard.shapes.operators.fleet import Health, Hold, Queue, QueueList, Readiness, Worker, WorkerList
from gradyard.shapes.operators.storage import ProjectStorage, RetentionRule, Storage, StoredOfKind
from gradyard.shapes.operators.webhooks import (
    NewWebhook,
    Webhook,
    WebhookDelivery,
    WebhookDeliveryList,
    WebhookDeliveryWithMessage,
    WebhookList,
)
from gradyard.shapes.problems import Candidate, FieldError, Problem
from gradyard.shapes.questions import ActionDone, GroupFigures, JobCount, JobGroup, JobGroups
from gradyard.shapes.receipts import Receipt
from gradyard.shapes.rechecks import Recheck
from gradyard.shapes.stages import GpuPays, GpuThreshold, RefusedPlugin, Stage, StageList, StageWithSchema
from gradyard.shapes.submission.checked import BatchChecked, JobChecked, MemberWarnings

__all__ = [
    "ActionDone", "ApiKey", "ApiKeyList", "Artifact", "ArtifactList", "AttemptLog", "AuditEntry", "AuditLog", "Batch",
    "BatchAccepted", "BatchChecked", "BatchDeleted", "BatchList", "BatchMoves", "BatchNow", "BatchRetried",
    "BatchSummary", "BestJobs", "BestSoFar", "Candidate", "CurvePart", "Dependency", "Event", "EventList", "Failures",
    "FieldError", "File", "FileColumn", "FileList", "GpuPays", "GpuThreshold", "GroupFigures", "Health", "Hold", "Job",
    "JobChecked", "JobCount", "JobGroup", "JobGroups", "JobList", "JobResult", "JobValues", "JobWarning", "LogList",
    "LossFigures", "Losses", "LossesOfJob", "LossesOfJobs", "MemberWarnings", "MetricCurve", "MetricFigures",
    "MetricList", "MetricOfJob", "MetricOfJobs", "Move", "NewApiKey", "NewWebhook", "Predictions", "Problem",
    "Progress", "ProjectNow", "ProjectStorage", "Queue", "QueueList", "Readiness", "Receipt", "Recheck",
    "RefusedPlugin", "RetentionRule", "RunningJob", "Stage", "StageList", "StageWithSchema", "Storage", "StoredOfKind",
    "Timings", "Waiting", "Webhook", "WebhookDelivery", "WebhookDeliveryList", "WebhookDeliveryWithMessage",
    "WebhookList", "Worker", "WorkerList",
]  # fmt: skip
