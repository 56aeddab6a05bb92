"""Bodies of requests that do something, all of them optional: retry a batch; drain workers or pause a queue."""

from typing import Any, Literal

from pydantic import Field, TypeAdapter

from gradyard.jobs.errors import BodyInvalid, SpecInvalid
from gradyard.jobs.states import State
from gradyard.jobs.strict_model import StrictModel
from gradyard.jobs.validation.from_json import validated
from gradyard.jobs.validation.json_text import plain_json


class RetryRequest(StrictModel):
    """Which jobs of a batch to submit anew: those in these states."""

    states: list[Literal["failed", "cancelled"]] = Field(default=["failed"], min_length=1, max_length=2)


class HoldRequest(StrictModel):
    """The reason for a drain or a pause; jobs that wait show it."""

    reason: str | None = Field(default=None, max_length=500)


_RETRY, _HOLD = TypeAdapter(RetryRequest), TypeAdapter(HoldRequest)


def read_states_to_retry(body: bytes) -> frozenset[State]:
    """The states in the body. Raises BodyMalformed where it is not JSON, BodyInvalid where a field is not valid."""
    return frozenset(State(each) for each in _read(_RETRY, body).states)


def read_reason(body: bytes) -> str | None:
    """The reason in the body. Raises BodyMalformed where it is not JSON, BodyInvalid where a field is not valid."""
    reason: str | None = _read(_HOLD, body).reason
    return reason


def _read(adapter: TypeAdapter[Any], body: bytes) -> Any:
    try:
        return validated(adapter, plain_json(body))
    except SpecInvalid as refusal:
        raise BodyInvalid(refusal.problems) from None
