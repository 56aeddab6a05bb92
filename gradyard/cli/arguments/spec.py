"""A job spec from a file, from stdin, from a stage's name, or from `--set` on the command line."""

import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gradyard.cli.arguments.values import read_json, value_of
from gradyard.cli.errors import BadUsage


def spec_from(file: str | None, stage: str | None, assignments: Iterable[str]) -> dict[str, Any]:
    """The spec from `file` (`-`: stdin); `stage` and each `path=value` override it.

    A `file` that is one word, and of which there is no file, is a stage's name: the service knows whether there is one.
    Raises BadUsage if the spec is empty, the file cannot be read or holds no JSON object, an assignment has no `=`, or
    two of these give one parameter.
    """
    named = file if file is not None and _is_a_stage(file) else None
    spec = {} if file is None or named else _read(file)
    stages = (named, str(named)), (stage, f"--stage {stage}")
    given: list[tuple[str, Any, str]] = [("stage", name, said) for name, said in stages if name is not None]
    given += [_assignment(each) for each in assignments]
    # A whole part first, then what is set in it, in whichever order they came.
    taken: dict[str, str] = {}
    for path, value, argument in sorted(given, key=lambda each: each[0].count(".")):
        _assign(spec, path, value, argument, taken)
        taken[path] = argument
    if not spec:
        raise BadUsage("nothing to submit: name a FILE with the spec, `-` for stdin, or a stage (--stage optim)")
    return spec


def dependencies_from(after: Iterable[str], after_any: Iterable[str]) -> list[dict[str, str]] | None:
    """What `--after` and `--after-any` name, for the Client; None where they name nothing."""
    named = [{"id": each, "condition": "succeeded"} for each in after]
    named += [{"id": each, "condition": "ended"} for each in after_any]
    return named or None


def changes_from(assignments: Iterable[str]) -> dict[str, Any]:
    """The values of `path=value`, by path. Raises BadUsage where one has no `=`, or two of them give one parameter."""
    taken: dict[str, str] = {}
    changes: dict[str, Any] = {}
    for path, value, argument in map(_assignment, assignments):
        if path in taken:
            raise BadUsage(f"{argument} and {taken[path]} give the same parameter; leave one of them out")
        changes[path], taken[path] = value, argument
    return changes


def _is_a_stage(file: str) -> bool:
    return re.fullmatch(r"[A-Za-z][\w-]*", file) is not None and not Path(file).exists()


def _read(file: str) -> dict[str, Any]:
    source = "stdin" if file == "-" else file
    try:
        spec = read_json(sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8"), source)
    except OSError as error:
        raise BadUsage(f"{source} cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise BadUsage(f"{source} holds no JSON ({error})") from None
    if not isinstance(spec, dict):
        raise BadUsage(f'{source} holds no job spec; one is a JSON object, such as {{"stage": "optim"}}')
    return spec


def _assignment(text: str) -> tuple[str, Any, str]:
    """The path, the value, and the argument as it was typed."""
    path, equals, value = text.partition("=")
    if not equals or not all(path.split(".")):
        raise BadUsage(f"--set {text}: write it as name=value, such as --set steps=500 or --set dataset.points=100")
    return path, value_of(path, value), f"--set {text}"


def _assign(spec: dict[str, Any], path: str, value: Any, argument: str, taken: Mapping[str, str]) -> None:
    """Set one value. BadUsage where an argument in `taken`, by the paths that they set, gave it already."""
    *parents, name = path.split(".")
    part, givers = spec, [path]
    for depth, parent in enumerate(parents, 1):
        part = part.setdefault(parent, {})
        if not isinstance(part, dict):
            raise BadUsage(f"{argument}: {parent} is not an object, so nothing can be set in it")
        givers.append(".".join(parents[:depth]))
    giver = next((taken[each] for each in givers if each in taken), None)
    if giver is not None and name in part:
        raise BadUsage(f"{argument} and {giver} give the same parameter; leave one of them out")
    part[name] = value
