"""The base of all answers."""

from collections.abc import Mapping
from typing import Any, Protocol, Self, TypeVar

from pydantic import BaseModel, ConfigDict, PrivateAttr

EXTRA_FIELDS_ARE_KEPT = ConfigDict(extra="allow")
"""Of typed dicts within an answer."""


class Answer(BaseModel):
    """One object of an answer, frozen. Fields that a newer service adds are kept, as attributes."""

    model_config = ConfigDict(
        frozen=True, extra="allow", populate_by_name=True,
        json_schema_serialization_defaults_required=True,  # the service answers every field; defaults are for readers
    )  # fmt: skip

    @classmethod
    def of(cls, **fields: Any) -> Self:
        """An answer of exactly these fields, by their Python names, without validation; for the service.

        All fields that the OpenAPI document requires must be given. For a job this takes 3 us; pydantic's
        `model_construct` takes 34 us.
        """
        answer = cls.__new__(cls)
        for name, value in (
            ("__dict__", fields), ("__pydantic_fields_set__", set(fields)),
            ("__pydantic_extra__", {}), ("__pydantic_private__", None),
        ):  # fmt: skip
            object.__setattr__(answer, name, value)
        return answer

    def __hash__(self) -> int:
        """Of what is no list and no object in it: equal answers have equal hashes."""
        plain = (value for _, value in self if value is None or isinstance(value, str | int | float))
        return hash((type(self), *plain))

    def __repr__(self) -> str:
        from gradyard.shapes.shown.lines import line_of

        return line_of(self)

    def __str__(self) -> str:
        return repr(self)

    def _repr_html_(self) -> str:
        """A card, in a notebook."""
        from gradyard.shapes.shown.cards import card_of

        return card_of(self)

    def as_json(self) -> dict[str, Any]:
        """The answer ready for `json.dumps`: times in RFC 3339, fields by their names in JSON."""
        return self.model_dump(mode="json", by_alias=True)


A = TypeVar("A", bound=Answer)


class Origin(Protocol):
    """Where a notebook asks for what an answer has not: a curve, the best of a batch."""

    def look(self, path: str, params: Mapping[str, Any]) -> dict[str, Any] | None:
        """The answer of the service; None where it refuses or gives none at once. Never raises."""

    def read(self, kind: type[A], answer: Any) -> A:
        """The answer as a model."""


class Traceable(Answer):
    """An answer that knows its origin. It is not a part of its value, and does not travel in a pickle."""

    _origin: Origin | None = PrivateAttr(default=None)

    def model_post_init(self, context: Any) -> None:
        """Keeps the context of the validation, which the Client gives."""
        self._origin = context

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Traceable) or type(self) is not type(other):
            return NotImplemented
        return dict(self) == dict(other)

    __hash__ = Answer.__hash__

    def __getstate__(self) -> dict[Any, Any]:
        return super().__getstate__() | {"__pydantic_private__": {"_origin": None}}


def origin_of(answer: Answer) -> Origin | None:
    """The origin of an answer; None of one that has none, as those that the service makes."""
    return (answer.__pydantic_private__ or {}).get("_origin")
