"""JSON responses: times in RFC 3339 UTC, ids as strings, and null instead of NaN."""

from functools import cache
from typing import Any

import orjson
from flask import Response

from gradyard.shapes.base import Answer

OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_SERIALIZE_NUMPY


def json_response(answer: Answer, status: int = 200, **headers: str) -> Response:
    """A JSON response. An underscore in a header's name stands for a hyphen."""
    response = Response(dump_json(answer), status, content_type="application/json")
    for name, text in headers.items():
        response.headers[name.replace("_", "-")] = text
    return response


def dump_json(value: Any, more_options: int = 0) -> bytes:
    """The JSON of an answer, or of what contains answers."""
    return orjson.dumps(value, default=_fields, option=OPTIONS | more_options)


def _fields(answer: Any) -> dict[str, Any]:
    if not isinstance(answer, Answer):
        raise TypeError(f"a {type(answer).__name__} is no answer")
    aliases = _aliases(type(answer))
    if not aliases:
        return answer.__dict__
    return {aliases.get(name, name): value for name, value in answer.__dict__.items()}


@cache
def _aliases(shape: type[Answer]) -> dict[str, str]:
    return {name: field.alias for name, field in shape.model_fields.items() if field.alias}
