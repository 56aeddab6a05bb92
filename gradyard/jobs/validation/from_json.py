"""From JSON to a model of a request, or to a refusal that points at each fault."""

import json
from collections.abc import Callable, Mapping
from functools import partial, reduce
from operator import getitem
from typing import Any

from pydantic import TypeAdapter, ValidationError

from gradyard.jobs.errors import BodyMalformed, SpecInvalid
from gradyard.jobs.validation.messages import Hint, no_hint, problems_of
from gradyard.jobs.validation.pointers import Loc, Pointers, pointers_into

DefaultPart = Callable[[Any, Loc], Mapping[str, Any]]
"""The part that a request has at that place where it gives none; empty where there is no such part."""


def validated(
    adapter: TypeAdapter[Any], body: bytes, *, default_part: DefaultPart | None = None, hint: Hint = no_hint
) -> Any:
    """The model in the body. Raises BodyMalformed where the body is not JSON, SpecInvalid where a field is wrong.

    A whole number may be written as 1000.0 or 1e3 where an integer is asked for, as JSON Schema has it. With
    `default_part`, an object that must say of which kind it is, and does not, is the default one with its values.
    """
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        details = _details(error)
    if details[0]["type"] == "json_invalid":
        raise BodyMalformed(details[0]["msg"].removeprefix("Invalid JSON: "))
    pointers = pointers_into(adapter)
    # Only where a body is wrong, so that all others are read once.
    for mend in (partial(_filled, default_part), _with_integers) if default_part else (_with_integers,):
        if mended := mend(body, details, pointers):
            body = mended
            try:
                return adapter.validate_json(body)
            except ValidationError as error:
                details = _details(error)
    raise SpecInvalid(problems_of(details, pointers, hint))


def filled_up(adapter: TypeAdapter[Any], body: bytes, default_part: DefaultPart) -> bytes | None:
    """The body as `validated` reads it where objects do not say of which kind they are; None where all do."""
    try:
        adapter.validate_json(body)
    except ValidationError as error:
        return _filled(default_part, body, _details(error), pointers_into(adapter))
    return None


def _details(error: ValidationError) -> list[Any]:
    return list(error.errors(include_url=False))


def _filled(default_part: DefaultPart, body: bytes, details: list[Any], pointers: Pointers) -> bytes | None:
    """The body with the tags of parts that lack theirs, and the other values of such parts; None where none is so."""
    places = {pointers.place_of(each["loc"], each["type"]).parts for each in details if _lacks_its_tag(each)}
    if not places:
        return None
    try:
        whole = json.loads(body)
        filled = False
        for *outer, tag in places:
            part, default = reduce(getitem, outer, whole), default_part(whole, tuple(outer))
            if tag in default and tag not in part:
                part.update({name: value for name, value in default.items() if name not in part})
                filled = True
    except (ValueError, LookupError, TypeError):
        return None
    return json.dumps(whole).encode() if filled else None


def _lacks_its_tag(detail: Any) -> bool:
    return detail["type"] == "union_tag_not_found" and isinstance(detail["input"], dict)


def _with_integers(body: bytes, details: list[Any], pointers: Pointers) -> bytes | None:
    """The body with integers where a whole number is meant.

    None where there is none, where the body lacks such a place, or where Python cannot read its numbers.
    """
    places = {pointers.place_of(each["loc"], each["type"]).parts for each in details if _is_whole(each)}
    if not places:
        return None
    try:
        value = json.loads(body)
        for *outer, last in places:
            part = reduce(getitem, outer, value)
            part[last] = int(part[last])
    except (ValueError, LookupError, TypeError):
        return None
    return json.dumps(value).encode()


def _is_whole(detail: Any) -> bool:
    value = detail["input"]
    return detail["type"] == "int_type" and isinstance(value, float) and value.is_integer()
