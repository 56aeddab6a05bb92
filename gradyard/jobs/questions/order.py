"""The order of an answer: by a column, the smallest value first or, after a minus, the largest."""

import ast
from dataclasses import dataclass

from gradyard.jobs.errors import FieldProblem, SpecInvalid
from gradyard.jobs.questions import columns
from gradyard.jobs.questions.nodes import name_parts
from gradyard.jobs.questions.terms import Column, Source
from gradyard.jobs.validation.suggestions import did_you_mean


@dataclass(frozen=True)
class Order:
    """By which column, and whether its largest value comes first."""

    column: Column
    descending: bool


def order(text: str, pointer: str = "/sort") -> Order:
    """The order that `loss_min`, `-loss_min` or `-metrics.accuracy.max` asks for. Raises SpecInvalid."""
    name = text.strip().removeprefix("-").strip()
    column = _column(name)
    if column is None:
        if name.startswith("first_below"):
            raise SpecInvalid([FieldProblem(pointer, f"{name[:100]} is no order; ask for it with `where`")])
        hint = did_you_mean(name, columns.known_names()) or "; docs/questions.md has the names"
        raise SpecInvalid([FieldProblem(pointer, f"there is no {name[:100]}{hint}")])
    if column.source is Source.PARAMETER:
        raise SpecInvalid([FieldProblem(pointer, f"{name} is no order; ask for it with `where`")])
    return Order(column, text.strip().startswith("-"))


def _column(name: str) -> Column | None:
    try:
        parts = name_parts(ast.parse(name, mode="eval").body)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    return None if parts is None else columns.column(parts)
