"""Columns that a request names, separated by commas: the fields of a list, the groups of a summary and its figures."""

import ast

from gradyard.jobs.errors import FieldProblem, SpecInvalid
from gradyard.jobs.questions.nodes import name_parts
from gradyard.jobs.questions.read import Reader
from gradyard.jobs.questions.terms import Column, Kind, Source

MOST_FIELDS, MOST_GROUPED_BY, MOST_FIGURES = 30, 4, 8
LONGEST = 2048  # characters of such a list
_EXAMPLE = 'write names with commas: learning_rate, tags["any key"]'

Named = dict[str, Column]
"""Columns by their names, in the order in which they were named."""


def fields_named(text: str, pointer: str = "/fields") -> Named:
    """The columns in `loss_min, tags["any key"], first_below(9)`, by their dotted names. Raises SpecInvalid."""
    return _named(text, pointer, MOST_FIELDS)


def groups_named(text: str, pointer: str = "/group") -> Named:
    """The columns in `learning_rate, tags["any key"]`, by their dotted names. Raises SpecInvalid."""
    return _without_curves(_named(text, pointer, MOST_GROUPED_BY), pointer)


def figures_named(text: str, pointer: str = "/of") -> Named:
    """The columns that can be measured in `loss_min, optimizer.momentum`. Raises SpecInvalid, also for texts."""
    found = _without_curves(_named(text, pointer, MOST_FIGURES), pointer)
    texts = [name for name, column in found.items() if column.kind is Kind.TEXT]
    if texts:
        raise SpecInvalid([FieldProblem(pointer, f"{name} is a text; name numbers or times") for name in texts])
    return found


def _without_curves(found: Named, pointer: str) -> Named:
    for name, column in found.items():
        if column.source is Source.CURVE:
            raise SpecInvalid([FieldProblem(pointer, f"{name} is for questions and fields alone")])
    return found


def _named(text: str, pointer: str, most: int) -> Named:
    text = text.replace("\n", " ").strip()
    reader, found = Reader(text, pointer), Named()
    for node in _nodes(text, reader):
        parts, written = name_parts(node), ast.get_source_segment(text, node) or ""
        if parts is None and not isinstance(node, ast.Call):
            raise reader.refusal(f"{written[:100]} is no column; {_EXAMPLE}", node.col_offset + 1)
        name, column = ".".join(parts) if parts else written, reader.column(node, 1)
        if name in found:
            raise SpecInvalid([FieldProblem(pointer, f"{name} is named twice")])
        found[name] = column
    if len(found) > most:
        raise SpecInvalid([FieldProblem(pointer, f"names {len(found)} columns; at most {most}")])
    return found


def _nodes(text: str, reader: Reader) -> list[ast.expr]:
    try:
        body = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise reader.refusal(f"cannot be read; {_EXAMPLE}") from None
    return body.elts if isinstance(body, ast.Tuple) else [body]
