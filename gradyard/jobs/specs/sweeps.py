"""A sweep: one spec, and values for some of its parameters. Every combination is a job."""

import json
import math
from collections.abc import Iterator
from itertools import product
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Discriminator, Field, Tag, model_validator

from gradyard.jobs.strict_model import Finite, StrictModel

MOST_FIELDS = 64  # of a spec, and axes of a sweep

Path = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*$", max_length=200)]
"""A parameter by its path in the spec: `learning_rate`, `optimizer.momentum`, `init.a`."""


class Span(StrictModel):
    """The whole numbers from `start` up to, not including, `stop`."""

    start: int = 0
    stop: int
    step: int = Field(default=1, ge=1)

    @property
    def size(self) -> int:
        """The number of values."""
        return max(0, -(-(self.stop - self.start) // self.step))

    def values(self) -> range:
        """The values, in order."""
        return range(self.start, self.stop, self.step)


def _kind_of_axis(value: Any) -> str:
    return "span" if isinstance(value, dict | Span) else "list"


Axis = Annotated[
    Annotated[list[Any], Field(min_length=1), Tag("list")] | Annotated[Span, Tag("span")], Discriminator(_kind_of_axis)
]


class Drawn(StrictModel):
    """A number drawn anew for each job, uniform between `low` and `high`, or uniform in its logarithm."""

    low: Finite
    high: Finite
    scale: Literal["linear", "log"] = "linear"

    @model_validator(mode="after")
    def _range_is_not_empty(self) -> Self:
        if self.low >= self.high:
            raise ValueError("low must be less than high")
        if self.scale == "log" and self.low <= 0:
            raise ValueError("low must be greater than 0 on a log scale")
        return self

    def at(self, fraction: float) -> float:
        """The number at a fraction, 0 to 1, of the way from `low` to `high`."""
        if self.scale == "linear":
            return self.low + fraction * (self.high - self.low)
        return math.exp(math.log(self.low) + fraction * (math.log(self.high) - math.log(self.low)))


class Sweep(StrictModel):
    """Every combination of the values of `grid`, `samples` times each, with new draws of `random` for each job.

    The draws depend on `random_seed` alone: equal sweeps make equal jobs.
    """

    spec: dict[str, Any] = Field(max_length=MOST_FIELDS)
    grid: dict[Path, Axis] = Field(default={}, max_length=MOST_FIELDS)
    random: dict[Path, Drawn] = Field(default={}, max_length=MOST_FIELDS)
    samples: int = Field(default=1, ge=1)
    random_seed: int = Field(default=0, ge=0, le=2**53 - 1)

    @model_validator(mode="after")
    def _no_parameter_is_both(self) -> Self:
        if both := sorted(self.grid.keys() & self.random.keys()):
            raise ValueError(f"{both[0]} is both in grid and in random")
        return self

    @property
    def size(self) -> int:
        """The number of jobs. It may be huge: a short request can ask for more jobs than any machine has memory for."""
        sizes = (axis.size if isinstance(axis, Span) else len(axis) for axis in self.grid.values())
        return math.prod(sizes) * self.samples

    def members(self) -> Iterator[dict[str, Any]]:
        """The spec of every job, as JSON values. The last axis of the grid changes fastest."""
        spec = json.dumps(self.spec)  # parsed again for each job: four times as fast as a deep copy
        draws = np.random.Generator(np.random.Philox(key=np.array([self.random_seed, 0], dtype=np.uint64)))
        for values in product(*(_values(axis) for axis in self.grid.values())):
            for _ in range(self.samples):
                member = json.loads(spec)
                for path, value in zip(self.grid, values, strict=True):
                    _put(member, path, value)
                for path, drawn in self.random.items():
                    _put(member, path, drawn.at(float(draws.random())))
                yield member


def _values(axis: list[Any] | Span) -> list[Any] | range:
    return axis.values() if isinstance(axis, Span) else axis


def _put(member: dict[str, Any], path: str, value: Any) -> None:
    *outer, last = path.split(".")
    for name in outer:
        inner = member.get(name)
        member[name] = inner if isinstance(inner, dict) else {}
        member = member[name]
    member[last] = value
