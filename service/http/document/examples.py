"""An example of each body, which the page of the document fills in where a reader tries a request."""

from typing import Any

EXAMPLES: dict[str, dict[str, Any]] = {
    "JobSpec": {"stage": "optim", "name": "first try", "learning_rate": 0.001, "seed": 7},
    "BatchSweep": {
        "spec": {"stage": "nn"}, "grid": {"learning_rate": [1e-7, 1e-6], "seed": {"start": 0, "stop": 5}},
        "name": "two rates, five seeds",
    },
    "JobPatch": {"name": "the good one", "tags": {"course": "w3"}, "pinned": True},
    "JobRetryRequest": {"set": {"learning_rate": 1e-7}},
    "RetryRequest": {"set": {"learning_rate": 1e-7}, "states": ["failed"]},
    "ActionRequest": {"where": 'state == "failed" and tags.course == "w3"', "action": "delete"},
    "PredictionRequest": {"x": [-1.5, 0.0, 1.5]},
    "HoldRequest": {"reason": "a fan is broken"},
    "KeyRequest": {"name": "ada", "scopes": ["jobs:read", "jobs:write"]},
    "RotationRequest": {"overlap_hours": 24},
    "RetentionRequest": {"days": 90},
    "WebhookRequest": {"url": "https://example.org/gradyard", "events": ["job.failed", "batch.finished"]},
    "WebhookPatch": {"enabled": True},
    "SecretRotation": {"overlap_hours": 24},
}  # fmt: skip
"""By the names of their schemas."""


def add_example(operation: dict[str, Any]) -> None:
    """Put the example of its schema, or of one of its schemas, into the body of an operation."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schemas = content["schema"].get("oneOf", [content["schema"]])
        names = [schema["$ref"].rpartition("/")[2] for schema in schemas if "$ref" in schema]
        for name in set(names) & set(EXAMPLES):
            content["example"] = EXAMPLES[name]
