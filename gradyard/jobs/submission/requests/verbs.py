"""Bodies of requests that do something, all optional: retry a job or a batch; drain workers or pause a queue."""

from typing import Any, Literal

from pydantic import Field, TypeAdapter

from gradyard.jobs.errors import BodyInvalid, SpecInvalid
from gradyard.jobs.specs.paths import MOST_FIELDS, Path
from gradyard.jobs.states import State
from gradyard.jobs.strict_model import StrictModel
from gradyard.jobs.validation.from_json import validated
from gradyard.jobs.validation.json_text import plain_json


class JobRetryRequest(StrictModel):
    """What to change in the spec of a job that is submitted anew: new values of parameters, by their paths."""

    changes: dict[Path, Any] = Field(default={}, alias="set", max_length=MOST_FIELDS)


class RetryRequest(JobRetryRequest):
    """Which jobs of a batch to submit anew, those in these states, and what to change in their specs."""

    states: list[Literal["failed", "cancelled"]] = Field(default=["failed"], min_length=1, max_length=2)


class HoldRequest(StrictModel):
    """The reason for a drain or a pause; jobs that wait show it."""

    reason: str | None = Field(default=None, max_length=500)


_JOB_RETRY, _RETRY, _HOLD = TypeAdapter(JobRetryRequest), TypeAdapter(RetryRequest), TypeAdapter(HoldRequest)


def read_changes(body: bytes) -> dict[str, Any]:
    """What to change, by path. Raises BodyMalformed where it is not JSON, BodyInvalid where a field is not valid."""
    changes: dict[str, Any] = read_body(_JOB_RETRY, body).changes
    return changes


def read_retry_of_batch(body: bytes) -> tuple[frozenset[State], dict[str, Any]]:
    """The states, and what to change. Raises BodyMalformed where it is not JSON, BodyInvalid for a wrong field."""
    asked: RetryRequest = read_body(_RETRY, body)
    return frozenset(State(each) for each in asked.states), asked.changes


def read_reason(body: bytes) -> str | None:
    """The reason in the body. Raises BodyMalformed where it is not JSON, BodyInvalid where a field is not valid."""
    reason: str | None = read_body(_HOLD, body).reason
    return reason


def read_body(adapter: TypeAdapter[Any], body: bytes) -> Any:
    """The model in the body. Raises BodyMalformed where it is not JSON, BodyInvalid where a field is not valid."""
    try:
        return validated(adapter, plain_json(body))
    except SpecInvalid as refusal:
        raise BodyInvalid(refusal.problems) from None
