"""What a user imports and types: the Client and the `gradyard` command.

from gradyard import Client

job = Client().submit(stage="optim", learning_rate=1e-3)
print(Client().wait(job.id).formula)
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradyard.client.client import Client
    from gradyard.client.errors import (
        AnswerNotUnderstood,
        GradyardClientError,
        JobNotFound,
        RefusedByService,
        Unreachable,
        WaitTimeout,
    )
    from gradyard.shapes import (
        ApiKey,
        Artifact,
        AttemptLog,
        Batch,
        BatchDeleted,
        BatchRetried,
        BatchSummary,
        Event,
        Hold,
        Job,
        NewApiKey,
        Queue,
        Readiness,
        RefusedPlugin,
        Stage,
        StageWithSchema,
        Worker,
    )

__all__ = [
    "AnswerNotUnderstood", "ApiKey", "Artifact", "AttemptLog", "Batch", "BatchDeleted", "BatchRetried", "BatchSummary",
    "Client", "Event", "GradyardClientError", "Hold", "Job", "JobNotFound", "NewApiKey", "Queue", "Readiness",
    "RefusedByService", "RefusedPlugin", "Stage", "StageWithSchema", "Unreachable", "WaitTimeout", "Worker",
]  # fmt: skip

_ERRORS = {
    "AnswerNotUnderstood", "GradyardClientError", "JobNotFound", "RefusedByService", "Unreachable", "WaitTimeout",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    # On demand: `import gradyard` takes a millisecond, the HTTP client and the models a hundred.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    errors_or_shapes = "gradyard.client.errors" if name in _ERRORS else "gradyard.shapes"
    return getattr(importlib.import_module("gradyard.client.client" if name == "Client" else errors_or_shapes), name)
