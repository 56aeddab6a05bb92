"""The parameters of a spec as names and values, by which jobs are found later."""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

import orjson

LONGEST_NAME, LONGEST_TEXT = 200, 256
"""In characters. A longer text is kept in the spec alone: an index of PostgreSQL does not take it."""

NO_PARAMETERS = {"stage", "name", "tags"}  # columns of their own
VARIED = {"steps", "degree", "seed", "learning_rate"}  # columns of their own as well, since nearly every sweep has them
_NOT_SHARED = (*NO_PARAMETERS, *VARIED)

Parameters = dict[str, float | str]


@dataclass(frozen=True)
class SharedParameters:
    """Parameters by dotted name (`optimizer.momentum`), and an id that is the same wherever they are the same."""

    id: UUID
    parameters: Parameters


class ParametersOfJob(NamedTuple):
    """By what a job is found: parameters that it has in common with others, and columns of its summary by name."""

    shared: SharedParameters
    varied: dict[str, Any]

    @classmethod
    def of(cls, spec: dict[str, Any], resolved: dict[str, Any]) -> "ParametersOfJob":
        """Those of a spec and of the numbers computed from it, both as stored."""
        return cls(other_parameters(spec), varied_parameters(spec, resolved))

    def with_seed(self, seed: int) -> "ParametersOfJob":
        """Those of a job that differs in its seed alone."""
        return ParametersOfJob(self.shared, {**self.varied, "seed": seed})


def varied_parameters(spec: dict[str, Any], resolved: dict[str, Any]) -> dict[str, Any]:
    """The parameters that are columns of a job's summary. spec, resolved: as stored."""
    dataset = spec.get("dataset") or {}
    return {
        "steps": spec.get("steps"),
        "degree": spec.get("degree"),
        "seed": spec.get("seed"),
        "learning_rate": resolved.get("learning_rate", _number(spec.get("learning_rate"))),
        "points": dataset.get("points") or len(dataset.get("x") or ()) or None,
    }


def other_parameters(spec: dict[str, Any]) -> SharedParameters:
    """All other parameters of a spec (as stored): its numbers, texts and switches (1 or 0), and nested ones.

    Lists, such as the data themselves, are left out.
    """
    rest = dict(spec)
    for name in _NOT_SHARED:  # a third of the time of a comprehension: a spec has three times as many others
        rest.pop(name, None)
    if isinstance(rest.get("dataset"), dict):
        described = rest["dataset"].items()  # x and y are lists of numbers, or names of columns
        rest["dataset"] = {name: value for name, value in described if name != "points" and type(value) is not list}
    return _set_of(orjson.dumps(rest))


# Of a sweep nearly all members have the same, and to take them apart costs ten times as long as to look them up.
@lru_cache(maxsize=1024)
def _set_of(rest: bytes) -> SharedParameters:
    parameters: Parameters = {}
    _flatten("", orjson.loads(rest), parameters)
    digest = sha256(orjson.dumps(parameters, option=orjson.OPT_SORT_KEYS)).digest()
    return SharedParameters(UUID(bytes=digest[:16]), parameters)


def _flatten(name: str, value: Any, into: Parameters) -> None:
    if isinstance(value, dict):
        for key, nested in value.items():
            _flatten(f"{name}.{key}" if name else key, nested, into)
    elif len(name) > LONGEST_NAME:
        return
    elif isinstance(value, str):
        if len(value) <= LONGEST_TEXT:
            into[name] = value
    elif (number := _number(value)) is not None:
        into[name] = number


def _number(value: Any) -> float | None:
    """The value as a number; None where it is none."""
    return float(value) if isinstance(value, int | float) else None
