"""JSON pointers (RFC 6901) for pydantic's errors, whatever models a stage brings.

pydantic's location of an error names fields, keys and positions, and also levels that a request does not have: the
branch of a union, its tag, `[key]`. Pointers walk the schema that pydantic made of the model and leave these out.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic import TypeAdapter
from pydantic_core import SchemaValidator

from gradyard.jobs.validation.core_schemas import Schema, fields_of, paths_of, tag_field_of

Loc = tuple[int | str, ...]

KEY = "[key]"
_WITH_ITEMS = {"list", "set", "frozenset", "generator"}
_WITH_FIELDS = {"model-fields": "model-field", "typed-dict": "typed-dict-field", "dataclass-args": "dataclass-field"}
_INNER = ("schema", "json_schema", "strict_schema")


class Union(NamedTuple):
    """A union whose members are told apart by `field`: for each of its tags, the names of that member's fields."""

    field: str | None
    members: Mapping[str, tuple[str, ...]]


class Place(NamedTuple):
    """Where an error is, and the names that are known there.

    `union`: the tagged union of which the object there is a member, or should be. `tag`: that member's. `fields`: of an
    unknown field, the known ones. `elsewhere`: the names that are known around that object and in its parts, each with
    where it is, in words.
    """

    parts: Loc
    union: Union | None = None
    tag: str | None = None
    fields: tuple[str, ...] = ()
    elsewhere: Mapping[str, str] = {}

    @property
    def pointer(self) -> str:
        """The place as a JSON pointer."""
        return pointer_of(self.parts)


class _End(NamedTuple):
    """Where a walk ends: the parts that a request has, and the schema there; None past what the schema describes."""

    parts: Loc
    schema: Schema | None


class Pointers:
    """Places of the errors of one model."""

    def __init__(self, adapter: TypeAdapter[Any]) -> None:
        self._root: Schema = adapter.core_schema
        self._definitions = {each["ref"]: each for each in self._root.get("definitions", ())}
        self._names: dict[int, list[str]] = {}  # of a union's branches, by the id of its schema
        # A batch of 100,000 wrong members has few distinct locations.
        self.place_of = lru_cache(maxsize=4096)(self._place_of)
        self._union_around = lru_cache(maxsize=512)(self._find_union_around)

    def _place_of(self, loc: Loc, kind: str) -> Place:
        """The place of an error of that location and type (`loc` and `type` of pydantic's error)."""
        parts = self._walk(self._root, loc, ()).parts
        if kind.startswith("at_"):  # a rule over several fields names the one that it is about
            return Place((*parts, *kind.removeprefix("at_").split("/")))
        if kind == "extra_forbidden":
            union, tag = self._union_around(loc[:-1])
            fields = self._names_in(self._walk(self._root, loc[:-1], ()).schema)
            return Place(parts, union, tag, fields, self._elsewhere(loc[:-1]))
        union, tag = self._union_around(loc)
        if union is not None and union.field is not None and kind.startswith("union_tag"):
            return Place((*parts, union.field), union)
        return Place(parts, union, tag)

    def _find_union_around(self, loc: Loc) -> tuple[Union | None, str | None]:
        """The tagged union that the location leads to, or to a member of, and the tag of that member."""
        for end in (loc, loc[:-1]):
            schema = self._walk(self._root, end, ()).schema
            union = None if schema is None else self._bare(schema)
            if union is not None and union["type"] == "tagged-union":
                tag = str(loc[-1]) if end != loc else None
                members = {str(each): self._names_in(choice) for each, choice in union["choices"].items()}
                return Union(tag_field_of(union["discriminator"]), members), tag
        return None, None

    def _names_in(self, schema: Schema | None) -> tuple[str, ...]:
        """The names that a request gives to the fields of the object; none where it is no object of fixed fields."""
        bare = {"type": ""} if schema is None else self._bare(schema)
        return tuple(str(next(paths_of(name, field))[0]) for name, field in fields_of(bare)) if "fields" in bare else ()

    def _elsewhere(self, loc: Loc) -> dict[str, str]:
        """The names in the parts of the object there, and in those around it: the nearest counts."""
        here = self._walk(self._root, loc, ())
        found = {name: f'"{part}.{name}"' for part, names in self._names_within(here.schema) for name in names}
        for length in range(len(loc)):  # the outermost first
            around = self._walk(self._root, loc[:length], ())
            if len(around.parts) < len(here.parts):
                beside = here.parts[len(around.parts)]
                found |= {name: f'"{name}", beside "{beside}"' for name in self._names_in(around.schema)}
        return found

    def _names_within(self, schema: Schema | None) -> Iterator[tuple[str, list[str]]]:
        """The parts of the object that are objects themselves, and the names that are known in each."""
        bare = {"type": ""} if schema is None else self._bare(schema)
        for name, field in fields_of(bare) if "fields" in bare else ():
            part = self._bare(field["schema"])
            members = part["choices"].values() if part["type"] == "tagged-union" else [part]
            yield str(next(paths_of(name, field))[0]), [each for member in members for each in self._names_in(member)]

    def _walk(self, schema: Schema | None, loc: Loc, parts: Loc) -> _End:
        if not loc or schema is None:
            return _End(parts + loc, schema)
        schema = self._bare(schema)
        match schema["type"]:
            case "union":
                return self._best(self._branches(schema, str(loc[0])), loc[1:], parts)
            case "tagged-union":
                return self._walk(schema["choices"].get(loc[0]), loc[1:], parts)
            case "dict":
                if loc[1:2] == (KEY,):
                    return self._walk(schema.get("keys_schema"), loc[2:], (*parts, loc[0]))
                return self._walk(schema.get("values_schema"), loc[1:], (*parts, loc[0]))
            case "chain":
                return self._best(schema["steps"], loc, parts)
            case _:
                taken, inner = self._step(schema, loc)
                return self._walk(inner, loc[taken:], parts + loc[:taken])

    def _best(self, schemas: list[Schema], loc: Loc, parts: Loc) -> _End:
        """The first walk that the schemas describe to its end."""
        ends = [self._walk(schema, loc, parts) for schema in schemas]
        return next((end for end in ends if end.schema is not None), ends[0])

    def _step(self, schema: Schema, loc: Loc) -> tuple[int, Schema | None]:
        """How many parts of the location lead to the next schema, and that schema; None where none is known."""
        kind = schema["type"]
        if kind in _WITH_ITEMS:
            return 1, schema.get("items_schema")
        if kind == "tuple" and isinstance(loc[0], int):
            items = schema["items_schema"]  # the last one serves all that follow
            return 1, items[min(loc[0], len(items) - 1)] if items else None
        if kind in _WITH_FIELDS:
            for name, field in fields_of(schema):
                for path in (*paths_of(name, field), (name,)):
                    if loc[: len(path)] == path:
                        return len(path), field["schema"]
            return 1, schema.get("extras_schema")
        return len(loc), None

    def _bare(self, schema: Schema) -> Schema:
        """The schema without the wrappers that add no level: defaults, optional values, validators, models."""
        while True:
            if schema["type"] == "definition-ref":
                schema = self._definitions[schema["schema_ref"]]
            elif inner := next((schema[name] for name in _INNER if name in schema), None):
                schema = inner
            else:
                return schema

    def _branches(self, union: Schema, label: str) -> list[Schema]:
        """The branches of that label, as pydantic shortens it; all where none has it."""
        branches = [choice[0] if isinstance(choice, tuple) else choice for choice in union["choices"]]
        if id(union) not in self._names:
            self._names[id(union)] = [self._name_of(choice) for choice in union["choices"]]
        pattern = re.compile(re.escape(label).replace(re.escape("..."), ".*"), re.DOTALL)
        named = zip(branches, self._names[id(union)], strict=True)
        return [branch for branch, name in named if pattern.fullmatch(name)] or branches

    def _name_of(self, choice: Any) -> str:
        if isinstance(choice, tuple):
            return str(choice[1])
        definitions = list(self._definitions.values())
        schema: Any = {"type": "definitions", "schema": choice, "definitions": definitions} if definitions else choice
        return str(SchemaValidator(schema).title)


@lru_cache(maxsize=64)
def pointers_into(adapter: TypeAdapter[Any]) -> Pointers:
    """The pointers of the adapter's model, made once."""
    return Pointers(adapter)


def pointer_of(parts: Loc) -> str:
    """The JSON pointer to the place that these names and positions lead to."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
