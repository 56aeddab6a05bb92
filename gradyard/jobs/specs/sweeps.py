"""A sweep: one spec, and values for some of its parameters. Every combination is a job."""

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, Self

import numpy as np
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from gradyard.jobs.specs.axes import Axis, Draws, Span
from gradyard.jobs.specs.base import LARGEST_SEED
from gradyard.jobs.specs.paths import MOST_FIELDS, Path, may_hold, parts_around, put
from gradyard.jobs.strict_model import StrictModel


class Sweep(StrictModel):
    """Every combination of the values of `grid`, `samples` times each, with new draws of `random` for each job.

    The draws depend on `random_seed` alone: equal sweeps make equal jobs.
    """

    spec: dict[str, Any] = Field(max_length=MOST_FIELDS)
    grid: dict[Path, Axis] = Field(default={}, max_length=MOST_FIELDS)
    random: dict[Path, Draws] = Field(default={}, max_length=MOST_FIELDS)
    samples: int = Field(default=1, ge=1)
    random_seed: int = Field(default=0, ge=0, le=LARGEST_SEED)

    @model_validator(mode="after")
    def _no_value_is_lost(self) -> Self:
        names = {**dict.fromkeys(self.random, "random"), **dict.fromkeys(self.grid, "grid")}
        for path in self.random:
            if path in self.grid:
                raise PydanticCustomError(f"at_random/{path}", "is in grid as well; leave it out of one of them")
        for path, where in names.items():
            for outer in parts_around(path):
                if outer in names:
                    message = "would be lost in {outer}, which is varied too"
                    raise PydanticCustomError(f"at_{where}/{path}", message, {"outer": outer})
                if not may_hold(self.spec, outer):
                    message = "leads into {outer}, which is no object in spec"
                    raise PydanticCustomError(f"at_{where}/{path}", message, {"outer": outer})
        return self

    @model_validator(mode="after")
    def _draws_have_a_use(self) -> Self:
        if not self.random and self.samples > 1:
            raise PydanticCustomError(
                "at_samples", 'is of use only with "random"; without it all samples would be equal'
            )
        if not self.random and self.random_seed:
            raise PydanticCustomError("at_random_seed", 'is of use only with "random"')
        return self

    @property
    def axis_sizes(self) -> list[int]:
        """The number of values of each axis of the grid."""
        return [axis.size if isinstance(axis, Span) else len(axis) for axis in self.grid.values()]

    @property
    def size(self) -> int:
        """The number of jobs. It may be huge: a short request can ask for more jobs than any machine has memory for."""
        return math.prod(self.axis_sizes) * self.samples

    def members(self) -> Iterator[dict[str, Any]]:
        """The spec of every job, as JSON values, not to be changed. The last axis of the grid changes fastest."""
        draws = np.random.Generator(np.random.Philox(key=np.array([self.random_seed, 0], dtype=np.uint64)))
        for values in product(*(_values(axis) for axis in self.grid.values())):
            for _ in range(self.samples):
                member = dict(self.spec)  # all that is not varied is shared: ten thousand points, for example
                for path, value in zip(self.grid, values, strict=True):
                    put(member, path, value)
                for path, drawn in self.random.items():
                    put(member, path, drawn.at(float(draws.random())))
                yield member


def _values(axis: list[Any] | Span) -> Sequence[Any]:
    return axis.values() if isinstance(axis, Span) else axis
