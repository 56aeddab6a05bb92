"""From JSON to a model of a request, or to a refusal that points at each fault."""

import json
from functools import reduce
from operator import getitem
from typing import Any

from pydantic import TypeAdapter, ValidationError

from gradyard.jobs.errors import BodyMalformed, SpecInvalid
from gradyard.jobs.validation.messages import problems_of
from gradyard.jobs.validation.pointers import Loc, pointers_into


def validated(adapter: TypeAdapter[Any], body: bytes) -> Any:
    """The model in the body. Raises BodyMalformed where the body is not JSON, SpecInvalid where a field is wrong.

    A whole number may be written as 1000.0 or 1e3 where an integer is asked for, as JSON Schema has it.
    """
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        details = _details(error)
    if details[0]["type"] == "json_invalid":
        raise BodyMalformed(details[0]["msg"].removeprefix("Invalid JSON: "))
    pointers = pointers_into(adapter)
    # Only where a body is wrong, so that all others are read once.
    whole = {pointers.place_of(each["loc"], each["type"]).parts for each in details if _is_whole(each)}
    if whole and (integers := _with_integers(body, whole)):
        try:
            return adapter.validate_json(integers)
        except ValidationError as error:
            details = _details(error)
    raise SpecInvalid(problems_of(details, pointers))


def _details(error: ValidationError) -> list[Any]:
    return list(error.errors(include_url=False))


def _is_whole(detail: Any) -> bool:
    value = detail["input"]
    return detail["type"] == "int_type" and isinstance(value, float) and value.is_integer()


def _with_integers(body: bytes, places: set[Loc]) -> bytes | None:
    """The body with integers at these places; None where it lacks such a place, or Python cannot read its numbers."""
    try:
        value = json.loads(body)
        for *outer, last in places:
            part = reduce(getitem, outer, value)
            part[last] = int(part[last])
    except (ValueError, LookupError, TypeError):
        return None
    return json.dumps(value).encode()
