"""Which requests name a project other than that of their key."""

from collections.abc import Mapping
from typing import Any

ALL_OF_A_PROJECT = ("/v1/jobs", "/v1/batches", "/v1/losses", "/v1/metrics", "/v1/storage", "/v1/webhooks")
LISTS_BY_PROJECT = ("/v1/workers", "/v1/queues", "/v1/keys", "/v1/audit")


def parameters_of(project: str | None, method: str, path: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a request: those given that are not None, and `project` where this request takes it."""
    takes_it = path.startswith(ALL_OF_A_PROJECT) or (method == "GET" and path in LISTS_BY_PROJECT)
    named = {"project": project if takes_it else None}
    return {name: value for name, value in {**named, **params}.items() if value is not None}
