"""What to ask instead, where the id of a batch was given for a job's, or that of a job for a batch's."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from flask import request

from gradyard.jobs.errors import NotFound

Kind = Literal["job", "batch"]

OTHER_KIND: dict[Kind, Kind] = {"job": "batch", "batch": "job"}


@dataclass(frozen=True)
class _Instead:
    """A route and commands. lacks: what the thing itself does not have or do."""

    route: str
    commands: tuple[str, ...]
    lacks: str = ""


def _of_its_jobs(lacks: str) -> _Instead:
    return _Instead("GET /v1/jobs?batch={}", ("jobs --batch {}",), lacks)


SHOWN, CHANGED = "show", "update"
INSTEAD: dict[Kind, dict[str, _Instead]] = {
    "batch": {
        SHOWN: _Instead("GET /v1/batches/{}", ("batches show {}", "batches watch {}")),
        "events": _Instead("GET /v1/batches/{}/events", ("batches watch {}",)),
        "losses": _Instead("GET /v1/batches/{}/export", ("batches export {} --csv",)),
        "cancel": _Instead("POST /v1/batches/{}/cancel", ("batches cancel {}",)),
        "retry": _Instead("POST /v1/batches/{}/retry", ("batches retry {}",)),
        "delete": _Instead("DELETE /v1/batches/{}", ("batches delete {}",)),
        CHANGED: _of_its_jobs("cannot be changed"), "recheck": _of_its_jobs("cannot be rechecked"),
        "logs": _of_its_jobs("has no logs"), "receipt": _of_its_jobs("has no receipt"),
        "metrics": _of_its_jobs("has no metrics"), "artifacts": _of_its_jobs("has no artifacts"),
        "predict": _of_its_jobs("predicts nothing"),
    },
    "job": {
        SHOWN: _Instead("GET /v1/jobs/{}", ("show {}", "watch {}")),
        "events": _Instead("GET /v1/jobs/{}/events", ("watch {}",)),
        "export": _Instead("GET /v1/jobs/{}/losses", ("losses {} --csv",)),
        "cancel": _Instead("POST /v1/jobs/{}/cancel", ("cancel {}",)),
        "retry": _Instead("POST /v1/jobs/{}/retry", ("retry {}",)),
        "delete": _Instead("DELETE /v1/jobs/{}", ("delete {}",)),
        "best": _Instead("GET /v1/jobs/{}", ("show {}",), "has no best jobs"),
    },
}  # fmt: skip
"""By what the id is of, and what this request asks for."""


def is_other_kind(found: UUID, kind: Kind) -> NotFound:
    """The error of a request for a `kind` with the id of the other one: what to ask instead."""
    other = OTHER_KIND[kind]
    known = INSTEAD[other]
    instead = known[next((word for word in _asked() if word in known), SHOWN)]
    lacks = f" and {instead.lacks}" if instead.lacks else ""
    its_jobs = "its jobs: " if instead.lacks and other == "batch" else ""
    commands = " or ".join(f"`gradyard {each.format(found)}`" for each in instead.commands)
    return NotFound(f"{found} is a {other}, not a {kind}{lacks}; {its_jobs}{instead.route.format(found)}, {commands}")


def _asked() -> list[str]:
    """The words of this request that may say what it asks for."""
    by_method = {"DELETE": ["delete"], "PATCH": [CHANGED]}
    return by_method.get(request.method) or request.path.split("/")[2:]
