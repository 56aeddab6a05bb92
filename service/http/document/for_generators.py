"""Schemas as generators of clients want them: defaults are scalars or words, and enumerations have names.

A default that is an object or a list ends most generators, above all beside a union. `GET /v1/stages/{name}` has the
schemas as pydantic writes them.
"""

from typing import Any, get_args

import orjson

from gradyard.jobs.specs.base import JobSpec
from gradyard.jobs.specs.builtin import Scale
from service.http.openapi import REF


def _words_of(field: str) -> tuple[str, ...]:
    return get_args(JobSpec.model_fields[field].annotation)


ENUMERATIONS: dict[str, dict[str, Any]] = {
    name: {"title": name, "description": said, "type": "string", "enum": [*words]}
    for name, said, words in (
        ("Device", "What trains the job. `auto`: where it ends sooner.", _words_of("device")),
        ("Dtype", "The numbers that it computes with.", _words_of("dtype")),
        (
            "Execution",
            "How it is run: step by step, as a compiled graph, or on sums of the data.",
            _words_of("execution"),
        ),
        ("Scale", "How x and y are scaled before training.", get_args(Scale)),
    )
}


def for_generators(schemas: dict[str, Any]) -> dict[str, Any]:
    """These schemas with defaults in words and named enumerations; each of the latter is a schema too."""
    return {name: _plain(schema) for name, schema in schemas.items()} | ENUMERATIONS


def without_defaults(schemas: dict[str, Any]) -> dict[str, Any]:
    """Schemas of answers: the service fills every field, and defaults are for readers of older services alone."""
    return {name: _without_defaults(schema) for name, schema in schemas.items()}


def _without_defaults(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_defaults(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    is_field = isinstance(schema.get("type"), str) or {"oneOf", "anyOf", "$ref"} & set(schema)
    return {key: _without_defaults(value) for key, value in schema.items() if not (is_field and key == "default")}


def _plain(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return _in_words(_by_name({key: _plain(value) for key, value in schema.items()}))


def _by_name(schema: dict[str, Any]) -> dict[str, Any]:
    words = schema.get("enum")
    name = next((name for name, known in ENUMERATIONS.items() if words == known["enum"]), None)
    if name is None:
        return schema
    rest = {key: value for key, value in schema.items() if key not in ("enum", "type", "title")}
    return {"allOf": [{"$ref": REF.format(model=name)}], **rest}


def _in_words(schema: dict[str, Any]) -> dict[str, Any]:
    default = schema.get("default")
    if not isinstance(default, dict | list) or not (
        isinstance(schema.get("type"), str) or {"oneOf", "anyOf"} & set(schema)
    ):
        return schema
    rest = {key: value for key, value in schema.items() if key != "default"}
    said = f"Without it: `{orjson.dumps(default).decode()}`." if default else "Without it: none."
    return rest | {"description": " ".join(filter(None, (schema.get("description"), said)))}
