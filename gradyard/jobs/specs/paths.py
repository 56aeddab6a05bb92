"""A parameter by its path in a spec, and how one is put there."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field

PATH = r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*"
MOST_FIELDS = 64  # of a spec, and axes of a sweep
MOST_PARTS = 16  # of a path: each part of each path is made in each job of a sweep


def _path(text: str) -> str:
    if not re.fullmatch(PATH, text):
        raise ValueError("is no path of a parameter, such as learning_rate or optimizer.momentum")
    if text.count(".") >= MOST_PARTS:
        raise ValueError(f"has {text.count('.') + 1} parts; a path has at most {MOST_PARTS}")
    return text


Path = Annotated[str, AfterValidator(_path), Field(max_length=200, json_schema_extra={"pattern": f"^{PATH}$"})]
"""A parameter by its path in the spec: `learning_rate`, `optimizer.momentum`, `init.a`."""


def parts_around(path: str) -> list[str]:
    """The paths of the parts in which the parameter lies, the outermost first."""
    names = path.split(".")
    return [".".join(names[:end]) for end in range(1, len(names))]


def may_hold(spec: dict[str, Any], path: str) -> bool:
    """Whether the spec has an object at that path, or nothing yet."""
    part: Any = spec
    for name in path.split("."):
        if not isinstance(part, dict):
            return False
        part = part.get(name, {})
    return isinstance(part, dict)


def put(spec: dict[str, Any], path: str, value: Any) -> None:
    """Set the parameter in the spec. Objects around it are copied, since others share them, or made."""
    *outer, last = path.split(".")
    for name in outer:
        spec[name] = dict(spec.get(name, ()))
        spec = spec[name]
    spec[last] = value
