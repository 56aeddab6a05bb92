"""The schemas that pydantic makes of models: their fields, where a request has these, and what tells unions apart."""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]


def tag_field_of(discriminator: Any) -> str | None:
    """The field that has the tag of a union. A function reads it from where it says so (`named`)."""
    return discriminator if isinstance(discriminator, str) else getattr(discriminator, "field", None)


def fields_of(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Every field of an object by its name."""
    fields = schema["fields"]
    return iter(fields.items()) if isinstance(fields, dict) else ((each["name"], each) for each in fields)


def paths_of(name: str, field: Schema) -> Iterator[tuple[int | str, ...]]:
    """Where a request may have the field: at its aliases, else at its name."""
    alias = field.get("validation_alias") or name
    for path in alias if isinstance(alias, list) and isinstance(alias[0], list) else [alias]:
        yield tuple(path) if isinstance(path, list) else (path,)
