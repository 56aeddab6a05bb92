"""Requests for API keys, from JSON to a valid request."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field, TypeAdapter

from gradyard.jobs.api_keys import Scope
from gradyard.jobs.errors import ApiKeyInvalid, BodyInvalid
from gradyard.jobs.strict_model import StrictModel
from gradyard.jobs.submission.requests.verbs import read_body

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"


def _name(text: str) -> str:
    if not re.fullmatch(NAME, text):
        raise ValueError("must be 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit")
    return text


Name = Annotated[str, AfterValidator(_name), Field(json_schema_extra={"pattern": f"^{NAME}$"})]


class KeyRequest(StrictModel):
    """A request for a key: its holder, its project (made where there is none), its scopes and its lifetime.

    project: None: that of the key which sends the request.
    """

    name: Name
    project: Name | None = None
    scopes: list[Scope] = Field(default=[Scope.JOBS_READ, Scope.JOBS_WRITE], min_length=1, max_length=len(Scope))
    expires_in_days: float | None = Field(default=None, gt=0, le=36_525, allow_inf_nan=False)


class RotationRequest(StrictModel):
    """A request for the successor of a key: for how long both open, and when the new one expires."""

    overlap_hours: float = Field(default=24.0, ge=0, le=24 * 365, allow_inf_nan=False)
    expires_in_days: float | None = Field(default=None, gt=0, le=36_525, allow_inf_nan=False)


_KEY_REQUEST, _ROTATION = TypeAdapter(KeyRequest), TypeAdapter(RotationRequest)


def read_key_request(body: bytes) -> KeyRequest:
    """Read the request. Raises BodyMalformed where it is not JSON, ApiKeyInvalid where a field is not valid."""
    request: KeyRequest = _read(_KEY_REQUEST, body)
    return request


def read_rotation_request(body: bytes) -> RotationRequest:
    """Read the request. Raises BodyMalformed where it is not JSON, ApiKeyInvalid where a field is not valid."""
    request: RotationRequest = _read(_ROTATION, body)
    return request


def _read(adapter: TypeAdapter[Any], body: bytes) -> Any:
    try:
        return read_body(adapter, body)
    except BodyInvalid as refusal:
        raise ApiKeyInvalid(refusal.problems) from None
