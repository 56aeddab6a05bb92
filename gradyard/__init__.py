"""What a user imports and types: the Client and the `gradyard` command.

from gradyard import Client

job = Client().submit(stage="optim", learning_rate=1e-3)
print(Client().wait(job.id).formula)
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradyard.client.client import AsyncClient, Client
    from gradyard.client.errors import (
        AnswerNotUnderstood,
        GradyardClientError,
        JobNotFound,
        RefusedByService,
        Unreachable,
        WaitTimeout,
    )
    from gradyard.shapes import (
        ActionDone,
        ApiKey,
        Artifact,
        AttemptLog,
        AuditEntry,
        Batch,
        BatchChecked,
        BatchDeleted,
        BatchNow,
        BatchRetried,
        BatchSummary,
        BestJobs,
        CurvePart,
        Event,
        File,
        Hold,
        Job,
        JobChecked,
        JobGroups,
        JobValues,
        Move,
        NewApiKey,
        NewWebhook,
        Progress,
        Queue,
        Readiness,
        Receipt,
        RefusedPlugin,
        RetentionRule,
        Stage,
        StageWithSchema,
        Storage,
        Webhook,
        WebhookDelivery,
        WebhookDeliveryWithMessage,
        Worker,
    )

__all__ = [
    "ActionDone", "AnswerNotUnderstood", "ApiKey", "Artifact", "AsyncClient", "AttemptLog", "AuditEntry", "Batch",
    "BatchChecked", "BatchDeleted", "BatchNow", "BatchRetried", "BatchSummary", "BestJobs", "Client", "CurvePart",
    "Event", "File", "GradyardClientError", "Hold", "Job", "JobChecked", "JobGroups", "JobNotFound", "JobValues",
    "Move", "NewApiKey", "NewWebhook", "Progress", "Queue", "Readiness", "Receipt", "RefusedByService", "RefusedPlugin",
    "RetentionRule", "Stage", "StageWithSchema", "Storage", "Unreachable", "WaitTimeout", "Webhook", "WebhookDelivery",
    "WebhookDeliveryWithMessage", "Worker",
]  # fmt: skip

_ERRORS = {
    "AnswerNotUnderstood", "GradyardClientError", "JobNotFound", "RefusedByService", "Unreachable", "WaitTimeout",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    # On demand: `import gradyard` takes a millisecond, the HTTP client and the models a hundred.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    errors_or_shapes = "gradyard.client.errors" if name in _ERRORS else "gradyard.shapes"
    home = "gradyard.client.client" if name in ("AsyncClient", "Client") else errors_or_shapes
    return getattr(importlib.import_module(home), name)
