"""What the models of requests have in common: they are strict, and their unions may have a default member."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field

Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(allow_inf_nan=False, gt=0)]


class StrictModel(BaseModel):
    """A model that refuses unknown fields and converts no types. Its objects cannot be changed."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


@dataclass(frozen=True)
class _TagOf:
    """Reads the tag of a union's member. `field` also names the field in errors."""

    field: str
    default: str

    @property
    def __name__(self) -> str:  # pydantic asks for the name of a function
        return f"tag_of_{self.field}"

    def __call__(self, value: Any) -> str | None:
        if isinstance(value, dict):
            tag = value.get(self.field, self.default)
        else:
            tag = getattr(value, self.field, self.default)
        return tag if isinstance(tag, str) else None


def named(field: str, default: str) -> Discriminator:
    """Tell the models of a union apart by `field`. A request without the field means `default`."""
    return Discriminator(_TagOf(field, default))
