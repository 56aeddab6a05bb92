"""What a sweep varies, from `--grid` and `--random` on the command line."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import ValidationError

from gradyard.cli.arguments.values import is_text, read_json, value_of
from gradyard.cli.errors import BadUsage
from gradyard.jobs.specs.axes import Drawn, Span
from gradyard.jobs.validation.typed_values import NUMBERS, RANGE, number_from

Axes = dict[str, Sequence[Any] | dict[str, Any]]
Draws = dict[str, dict[str, Any]]


def axes_from(grid: Iterable[str], random: Iterable[str], assignments: Iterable[str]) -> tuple[Axes, Draws]:
    """The values of each `--grid` and the draws of each `--random`, by the paths of their parameters.

    Raises BadUsage for text that is neither, where two of these, or a `--set`, give one parameter, and for a `--set`
    of a range or of several numbers, which means a grid.
    """
    assignments = list(assignments)
    refuse_several(assignments, "all jobs have one value; --grid {} makes a job for each")
    axes, draws = [_axis_from(each) for each in grid], [_drawn_from(each) for each in random]
    varied = [(argument, path) for argument, path, _ in (*axes, *draws)]
    given = [(f"--set {each}", each.partition("=")[0]) for each in assignments]
    for index, (argument, path) in enumerate(varied):
        # Beside `--set optimizer=adam` an axis `optimizer.beta1` loses nothing; beside an axis `optimizer` it does.
        inside = [other for other, taken in (*given, *varied[:index]) if _holds(path, taken)]
        around = [other for other, taken in varied[:index] if _holds(taken, path)]
        if both := inside + around:
            raise BadUsage(f"{argument} and {both[0]} give the same parameter; leave one of them out")
    return {path: values for _, path, values in axes}, {path: drawn for _, path, drawn in draws}


def refuse_several(assignments: Iterable[str], message: str) -> None:
    """Raise BadUsage where a `--set` has a range or several numbers. `message`: with `{}` in place of what it sets."""
    for each in assignments:
        path, _, value = each.partition("=")
        if not is_text(path) and re.fullmatch(f"{RANGE}|{NUMBERS}", value):
            raise BadUsage(f"--set {each}: {message.format(each)}")


def _holds(path: str, other: str) -> bool:
    return other == path or other.startswith(f"{path}.")


def _axis_from(text: str) -> tuple[str, str, Sequence[Any] | dict[str, Any]]:
    """The argument, its path and its values: `name=1,2,3`, `name=0:100` or `name=0:100:10`."""
    argument = f"--grid {text}"
    path, _, written = text.partition("=")
    if not path or not written:
        raise BadUsage(f"{argument}: write it as name=1,2,3 or name=0:100, such as --grid seed=0:100")
    if re.fullmatch(RANGE, written):
        return argument, path, _range(argument, written.split(":"))
    return argument, path, _listed(argument, path, written)


def _range(argument: str, ends: list[str]) -> dict[str, Any]:
    try:
        span = dict(zip(("start", "stop", "step"), map(number_from, ends), strict=False))
        Span.model_validate(span)
    except ValidationError as error:
        raise BadUsage(f"{argument}: {_said(error)}") from None
    except ValueError as error:
        raise BadUsage(f"{argument}: {error} is too large") from None
    return span


def _listed(argument: str, path: str, written: str) -> list[Any]:
    try:
        values = read_json(f"[{written}]", argument) if re.search(r'[\[{"]', written) else None
    except ValueError:
        values = None
    if values is not None:
        return values
    if not all(written.split(",")):
        raise BadUsage(f"{argument}: a value is empty; write the values as name=1,2,3")
    return [value_of(path, each) for each in written.split(",")]


def _drawn_from(text: str) -> tuple[str, str, dict[str, Any]]:
    """The argument, its path and its draws: `name=LOW:HIGH` or `name=LOW:HIGH:log`."""
    argument = f"--random {text}"
    path, _, written = text.partition("=")
    low, _, rest = written.partition(":")
    high, _, scale = rest.partition(":")
    hint = "write it as name=LOW:HIGH or name=LOW:HIGH:log, such as --random learning_rate=1e-7:1e-5:log"
    try:
        drawn = {"low": number_from(low), "high": number_from(high), "scale": scale or "linear"}
        Drawn.model_validate(drawn)
    except ValidationError as error:
        raise BadUsage(f"{argument}: {_said(error) if scale in ('', 'linear', 'log') else hint}") from None
    except ValueError:
        raise BadUsage(f"{argument}: {hint}") from None
    if not path:
        raise BadUsage(f"{argument}: {hint}")
    return argument, path, drawn


def _said(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    field = first["type"].removeprefix("at_") + " " if first["type"].startswith("at_") else ""
    return field + str(first["msg"]).removeprefix("Value error, ")
