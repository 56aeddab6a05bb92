"""Requests for API keys, from JSON to a valid request."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, TypeAdapter

from gradyard.jobs.api_keys import Scope
from gradyard.jobs.errors import ApiKeyInvalid, SpecInvalid
from gradyard.jobs.strict_model import StrictModel
from gradyard.jobs.validation.from_json import validated
from gradyard.jobs.validation.json_text import plain_json

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"


def _name(text: str) -> str:
    if not re.fullmatch(NAME, text):
        raise ValueError("must be 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit")
    return text


Name = Annotated[str, AfterValidator(_name), Field(json_schema_extra={"pattern": f"^{NAME}$"})]


class KeyRequest(StrictModel):
    """A request for a key: its holder, its project (made where there is none), its scopes and its lifetime."""

    name: Name
    project: Name = "default"
    scopes: list[Scope] = Field(default=[Scope.JOBS_READ, Scope.JOBS_WRITE], min_length=1, max_length=len(Scope))
    expires_in_days: float | None = Field(default=None, gt=0, le=36_525, allow_inf_nan=False)


_KEY_REQUEST = TypeAdapter(KeyRequest)


def read_key_request(body: bytes) -> KeyRequest:
    """Read the request. Raises BodyMalformed where it is not JSON, ApiKeyInvalid where a field is not valid."""
    try:
        request: KeyRequest = validated(_KEY_REQUEST, plain_json(body))
    except SpecInvalid as refusal:
        raise ApiKeyInvalid(refusal.problems) from None
    return request
