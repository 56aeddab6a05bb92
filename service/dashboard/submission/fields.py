"""The JSON Schema of a stage's spec as fields of a form."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

Schema = Mapping[str, Any]
MOST_EXACT = 2**53 - 1  # the largest whole number that JSON says everywhere; for people it is no limit
NOT_CHOSEN = "none"
"""The kind of a part that is left out."""


@dataclass(frozen=True)
class Field:
    """A parameter that is typed or chosen. `path` leads to it in the spec: `optimizer.momentum`.

    kind: how its text is read: `number` and `value` (several make a sweep), `choices` (of these JSON values), `text`,
    `numbers` and `ids` (lists), `tags`, `json`. default: as JSON would be typed; None where there is none.
    """

    path: str
    kind: str
    help: str = ""
    default: Any = None
    is_needed: bool = False
    choices: tuple[Any, ...] = ()
    limits: str = ""

    @property
    def name(self) -> str:
        """Its name within its part."""
        return self.path.rpartition(".")[2]


@dataclass(frozen=True)
class Kind:
    """One of the forms that a part may have, and the fields of it."""

    name: str
    help: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Part:
    """An object in a spec, of one kind or of several that `tag` tells apart: `optimizer`, by its `name`."""

    path: str
    help: str
    tag: str | None
    kinds: tuple[Kind, ...]
    default: Any


def fields_of(schema: Schema) -> list[Field | Part]:
    """The fields of a spec in the order of its schema, without `stage`."""
    return [each for each in _properties(schema, "", schema.get("$defs", {})) if each.path != "stage"]


def _properties(schema: Schema, within: str, named: Schema) -> Iterator[Field | Part]:
    needed = schema.get("required", ())
    for name, each in schema.get("properties", {}).items():
        yield _field(f"{within}{name}", _whole(each, named), name in needed, named)


def _field(path: str, schema: Schema, is_needed: bool, named: Schema) -> Field | Part:
    about = {"help": schema.get("description", ""), "default": schema.get("default")}
    forms = [_whole(each, named) for each in schema.get("oneOf") or schema.get("anyOf") or [schema]]
    if len(forms) == 1 and forms[0] is not schema:  # the other one was null
        schema = {**forms[0], **schema}
    objects = [each for each in forms if "properties" in each]
    if objects and len(objects) == len(forms) and "." not in path:
        tag = _tag_of(objects)
        if tag or len(objects) == 1:
            kinds = tuple(_kind(each, tag, path, named) for each in objects)
            return Part(path, about["help"], tag, kinds, about["default"])
    choices = _choices(forms)
    kind = "choices" if choices else _kind_of_text(path, forms)
    return Field(path, kind, is_needed=is_needed, choices=choices, limits=_limits(forms), **about)


def _whole(schema: Schema, named: Schema) -> Schema:
    """The schema with what it refers to in it, and without null beside other forms."""
    if "$ref" in schema:
        schema = {**named.get(schema["$ref"].rpartition("/")[2], {}), **schema}
    forms = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    return {**schema, "anyOf": forms} if forms else schema


def _tag_of(objects: Sequence[Schema]) -> str | None:
    """The name of the property that tells these objects apart: the one that is constant in each of them."""
    return next((name for name in objects[0]["properties"]
                 if all("const" in each["properties"].get(name, {}) for each in objects)), None)  # fmt: skip


def _kind(schema: Schema, tag: str | None, path: str, named: Schema) -> Kind:
    name = str(schema["properties"][tag]["const"]) if tag else ""
    inner = [each for each in _properties(schema, f"{path}.", named) if each.path != f"{path}.{tag}"]
    fields = tuple(each for each in inner if isinstance(each, Field))  # with a dot in its path nothing is a part
    return Kind(name, schema.get("description", ""), fields)


def _choices(forms: Sequence[Schema]) -> tuple[Any, ...]:
    if len(forms) != 1:
        return ()
    if "const" in forms[0]:
        return (forms[0]["const"],)
    return tuple(forms[0].get("enum", (True, False) if forms[0].get("type") == "boolean" else ()))


def _kind_of_text(path: str, forms: Sequence[Schema]) -> str:
    """How the text of such a field is read."""
    types = {each.get("type") for each in forms}
    if path in ("name", "pool"):
        return "text"
    if path == "depends_on":
        return "ids"
    if types & {"number", "integer"}:
        return "number"
    if types == {"object"}:
        additional = forms[0].get("additionalProperties")
        return "tags" if isinstance(additional, Mapping) and additional.get("type") == "string" else "json"
    if types == {"array"}:
        return "numbers" if forms[0].get("items", {}).get("type") in ("number", "integer") else "json"
    return "value"


def _limits(forms: Sequence[Schema]) -> str:
    """What the values must be, in words: `1 or more`, `over 0`, `0 to 9`; and the text that may stand in its place."""
    words = [_range(each) for each in forms if each.get("type") in ("number", "integer")]
    words += [f"`{each['const']}`" for each in forms if "const" in each and len(forms) > 1]
    words += [f"`{value}`" for each in forms if len(forms) > 1 for value in each.get("enum", ())]
    return " or ".join(filter(None, words))


def _range(schema: Schema) -> str:
    low, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    high, under = schema.get("maximum"), schema.get("exclusiveMaximum")
    high = None if high == MOST_EXACT else high
    upper = as_json(high) if high is not None else f"under {as_json(under)}" if under is not None else ""
    lower = as_json(low) if low is not None else f"over {as_json(above)}" if above is not None else ""
    if lower and upper:
        return f"{lower} to {upper}"
    return f"{upper} or less" if high is not None else f"{lower} or more" if low is not None else lower or upper


def as_json(value: Any) -> str:
    """A value as JSON, in one line; what stands in the form as a value of JSON."""
    return orjson.dumps(value).decode()
