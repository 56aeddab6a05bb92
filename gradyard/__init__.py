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
    from gradyard.client.models import ApiKey, Batch, Event, Job, Queue, Readiness, Stage, Worker

_ANSWERS = ("ApiKey", "Batch", "Event", "Job", "Queue", "Readiness", "Stage", "Worker")
_ERRORS = (
    "AnswerNotUnderstood", "GradyardClientError", "JobNotFound", "RefusedByService", "Unreachable", "WaitTimeout",
)  # fmt: skip
_HOMES = {
    "Client": "gradyard.client.client",
    **dict.fromkeys(_ANSWERS, "gradyard.client.models"),
    **dict.fromkeys(_ERRORS, "gradyard.client.errors"),
}

__all__ = [
    "AnswerNotUnderstood",
    "ApiKey",
    "Batch",
    "Client",
    "Event",
    "GradyardClientError",
    "Job",
    "JobNotFound",
    "Queue",
    "Readiness",
    "RefusedByService",
    "Stage",
    "Unreachable",
    "WaitTimeout",
    "Worker",
]


def __getattr__(name: str) -> Any:
    # Loaded when asked for: `import gradyard` takes a millisecond, the HTTP client and its models a hundred.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
