"""A spec as a person would have typed it into the form: only what is not the default."""

from collections.abc import Iterable, Mapping
from typing import Any

from service.dashboard.submission.fields import NOT_CHOSEN, Field, Part, as_json

Spec = Mapping[str, Any]


def typed(fields: Iterable[Field | Part], spec: Spec) -> dict[str, Any]:
    """The text of each field, by its path; of choices the JSON values; of a part the name of its kind."""
    texts: dict[str, Any] = {}
    for each in fields:
        value = spec.get(each.path, each.default)
        if isinstance(each, Part):
            texts |= _typed_part(each, value)
        else:
            texts[each.path] = _text(each, value)
    return texts


def _typed_part(part: Part, value: Any) -> dict[str, Any]:
    chosen = _chosen(part, value)
    texts: dict[str, Any] = {part.path: chosen}
    for kind in part.kinds:
        given = value if kind.name == chosen and isinstance(value, Mapping) else {}
        for field in kind.fields:
            texts[f"{kind.name} {field.path}"] = _text(field, given.get(field.name, field.default))
    return texts


def _chosen(part: Part, value: Any) -> str:
    if not isinstance(value, Mapping):
        return NOT_CHOSEN if value is None else part.kinds[0].name
    return str(value.get(part.tag, part.kinds[0].name)) if part.tag else part.kinds[0].name


def _text(field: Field, value: Any) -> Any:
    if field.kind == "choices":
        return [] if value == field.default else [as_json(value)]
    if value is None or value == field.default:
        return ""
    return text_of(field.kind, value)


def text_of(kind: str, value: Any) -> str:
    """How this value is typed into a field of that kind."""
    if isinstance(value, str):
        return value
    if kind == "numbers" and isinstance(value, list):
        return ", ".join(as_json(each) for each in value)
    if kind == "tags" and isinstance(value, Mapping) and not any(set(",=") & set(f"{k}{v}") for k, v in value.items()):
        return ", ".join(f"{key}={text}" for key, text in value.items())
    if kind == "ids" and isinstance(value, list):
        plain = [each if isinstance(each, str) else each["id"] for each in value if _must_succeed(each)]
        if len(plain) == len(value):
            return ", ".join(plain)
    return as_json(value)


def _must_succeed(dependency: Any) -> bool:
    return isinstance(dependency, str) or dependency.get("condition", "succeeded") == "succeeded"
