"""The base of all answers."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict


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

    def as_json(self) -> dict[str, Any]:
        """The answer ready for `json.dumps`: times in RFC 3339, fields by their names in JSON."""
        return self.model_dump(mode="json", by_alias=True)
