"""Whole numbers on the command line, in each form that a spec takes: 10, 1e1, 10.0."""

import copy
from collections.abc import Callable
from typing import Annotated, Any, get_args, get_origin

import typer

from gradyard.jobs.validation.messages import value_text
from gradyard.jobs.validation.typed_values import number_from


def takes_whole_number(kind: Any) -> bool:
    """Whether an option of that type is of one whole number: `int` or `int | None`."""
    return kind is int or int in get_args(kind)


def in_every_form(annotation: Any) -> Any:
    """The annotation of a parameter; an option of a whole number takes it in every form, within its min and max."""
    if get_origin(annotation) is not Annotated or not takes_whole_number(get_args(annotation)[0]):
        return annotation
    kind, found = get_args(annotation)
    option = copy.copy(found)
    option.parser = _parser(option.min, option.max)
    return Annotated[kind, option]


def _parser(lowest: int | None, highest: int | None) -> Callable[[Any], int]:
    def parse(given: Any) -> int:
        number = _whole(str(given))
        if number is None or not (lowest is None or lowest <= number) or not (highest is None or number <= highest):
            raise typer.BadParameter(f"must be a whole number{_range(lowest, highest)}, not {value_text(str(given))}")
        return number

    parse.__name__ = "number"  # what the help shows
    return parse


def _whole(text: str) -> int | None:
    try:
        number = number_from(text)
    except ValueError:
        return None
    return int(number) if number == int(number) else None


def _range(lowest: int | None, highest: int | None) -> str:
    if lowest is None:
        return "" if highest is None else f" of at most {highest}"
    return f" of at least {lowest}" if highest is None else f" from {lowest} to {highest}"
