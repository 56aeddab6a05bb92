"""A job spec from a file, from stdin, or from `--set` on the command line."""

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gradyard.cli.errors import BadUsage


def spec_from(file: str | None, stage: str | None, assignments: Iterable[str]) -> dict[str, Any]:
    """The spec from `file` (`-`: stdin); `stage` and then each `path=value` override it.

    Raises BadUsage if the spec is empty, the file cannot be read or holds no JSON object, or an assignment has no `=`.
    """
    spec = {} if file is None else _read(file)
    if stage is not None:
        spec["stage"] = stage
    for assignment in assignments:
        _assign(spec, assignment)
    if not spec:
        raise BadUsage("nothing to submit: name a FILE with the spec, `-` for stdin, or a stage (--stage optim)")
    return spec


def axis_from(argument: str) -> tuple[str, Sequence[Any] | range]:
    """An axis of a sweep from `name=1,2,3`, `name=0:100` or `name=0:100:10`. Raises BadUsage for other text."""
    path, equals, text = argument.partition("=")
    if not equals or not path or not text:
        raise BadUsage(f"--grid {argument}: write it as name=1,2,3 or name=0:100, such as --grid seed=0:100")
    if re.fullmatch(r"-?\d+:-?\d+(:\d+)?", text):
        first, end, *step = map(int, text.split(":"))
        values = range(first, end, *step) if step != [0] else range(0)
        if not values:
            raise BadUsage(f"--grid {argument}: the range is empty")
        return path, values
    return path, [_value(each) for each in text.split(",")]


def drawn_from(argument: str) -> tuple[str, dict[str, Any]]:
    """A random parameter of a sweep from `name=LOW:HIGH` or `name=LOW:HIGH:log`. Raises BadUsage for other text."""
    path, _, text = argument.partition("=")
    low, _, rest = text.partition(":")
    high, _, scale = rest.partition(":")
    try:
        if not path or scale not in ("", "log", "linear"):
            raise ValueError
        return path, {"low": float(low), "high": float(high), "scale": scale or "linear"}
    except ValueError:
        hint = "write it as name=LOW:HIGH or name=LOW:HIGH:log, such as --random learning_rate=1e-7:1e-5:log"
        raise BadUsage(f"--random {argument}: {hint}") from None


def with_kinds(spec: dict[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The spec; a part of it without a kind or name gets the one that the stage has by default.

    So `--set dataset.points=100` means the default data set with 100 points.
    """
    return {name: _with_kind(value, defaults.get(name)) for name, value in spec.items()}


def _with_kind(value: Any, default: Any) -> Any:
    if not isinstance(value, dict) or not isinstance(default, Mapping):
        return value
    return {tag: default[tag] for tag in ("kind", "name") if tag in default} | value


def _read(file: str) -> dict[str, Any]:
    source = "stdin" if file == "-" else file
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text()
        spec = json.loads(text)
    except OSError as error:
        raise BadUsage(f"{source} cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise BadUsage(f"{source} holds no JSON ({error})") from None
    if not isinstance(spec, dict):
        raise BadUsage(f'{source} holds no job spec; one is a JSON object, such as {{"stage": "optim"}}')
    return spec


def _assign(spec: dict[str, Any], assignment: str) -> None:
    path, equals, text = assignment.partition("=")
    if not equals or not path:
        raise BadUsage(
            f"--set {assignment}: write it as name=value, such as --set steps=500 or --set dataset.points=100"
        )
    *parents, name = path.split(".")
    part = spec
    for parent in parents:
        inner = part.setdefault(parent, {})
        if not isinstance(inner, dict):
            raise BadUsage(f"--set {assignment}: {parent} is not an object, so nothing can be set in it")
        part = inner
    part[name] = _value(text)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
