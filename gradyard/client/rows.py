"""A list of answers that a notebook shows as a table."""

from typing import TypeVar

from gradyard.shapes.base import Answer

A = TypeVar("A", bound=Answer)


class Rows(list[A]):
    """A list of answers. It differs from a list in a notebook alone, which shows it as a table."""

    def _repr_html_(self) -> str:
        from gradyard.shapes.shown.cards import table_of

        return table_of(self)
