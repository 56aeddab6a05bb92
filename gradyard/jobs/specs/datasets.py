"""What a job may be trained on: one class for each kind of data set. The runner makes the arrays that it trains on.

Code elsewhere asks the object and never its kind. A stored spec, which was validated when it was submitted, becomes
such an object by `stored_dataset`.
"""

import hashlib
from collections.abc import Hashable, Mapping
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
from pydantic import FailFast, Field, Tag, model_validator

from gradyard.jobs.numbers.draws import Stream, normals
from gradyard.jobs.numbers.functions import FUNCTIONS
from gradyard.jobs.settings import Settings
from gradyard.jobs.specs.file_data import FileData
from gradyard.jobs.strict_model import Finite, StrictModel, named

FunctionName = Literal["sin", "cos", "exp", "tanh", "step", "abs", "gauss"]


class Grid(NamedTuple):
    """`points` values of x from `start` to `stop`, evenly spaced."""

    start: float
    stop: float
    points: int

    @np.errstate(over="ignore", invalid="ignore")
    def values(self) -> np.ndarray:
        """The values, float64, (points,)."""
        return np.linspace(self.start, self.stop, self.points)


@lru_cache(maxsize=8)  # up to a million numbers each; the members of a batch mostly share one
@np.errstate(over="ignore", invalid="ignore")
def _without_noise(function: str, grid: Grid) -> np.ndarray:
    return FUNCTIONS[function](grid.values())


class FunctionData(StrictModel):
    """A function on an even grid, with seeded normal noise of standard deviation `noise` on y."""

    points_field: ClassVar[str] = "points"
    is_sent_in_full: ClassVar[bool] = False

    kind: Literal["function"] = "function"
    function: FunctionName = "sin"
    start: Finite = -3.141592653589793
    stop: Finite = 3.141592653589793
    points: int = Field(default=2000, ge=1)
    noise: Finite = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _grid_runs_forward(self) -> Self:
        if self.start >= self.stop:
            raise ValueError("start must be less than stop")
        return self

    @staticmethod
    def max_points(settings: Settings) -> int:
        """The most points that such a data set may have."""
        return settings.max_points

    @property
    def grid(self) -> Grid:
        """The grid of x. Equal grids have equal values."""
        return Grid(self.start, self.stop, self.points)

    @property
    def x_pointer(self) -> str:
        """Where in a spec the largest x comes from."""
        return "/dataset/start" if -self.start > self.stop else "/dataset/stop"

    @property
    def y_pointer(self) -> str:
        """Where in a spec the largest y comes from: the noise, or the largest x."""
        is_lost_in_noise = self.noise > np.abs(_without_noise(self.function, self.grid)).max()
        return "/dataset/noise" if is_lost_in_noise else self.x_pointer

    @property
    def shared_by_pack(self) -> list[Any]:
        """What the members of a pack agree in, beside the number of points: nothing."""
        return []

    def x_values(self) -> np.ndarray:
        """x in float64, (points,)."""
        return self.grid.values()

    @np.errstate(over="ignore", invalid="ignore")
    def y_values(self, seed: int) -> np.ndarray:
        """y in float64 with the noise of that seed, (points,)."""
        y = _without_noise(self.function, self.grid)
        return y + self.noise * normals(seed, Stream.NOISE, self.points) if self.noise else y

    def key(self, seed: int) -> Hashable:
        """Data sets of equal keys have equal values; None where only the values themselves tell."""
        return self.grid, self.function, self.noise, seed if self.noise else None

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays that a runner must be sent: none, the description is enough."""
        return {}

    def summary(self) -> dict[str, Any]:
        """The data set as JSON, without arrays."""
        return self.model_dump(mode="json")


class InlineData(StrictModel):
    """Points given in the request itself: x and y of one length."""

    points_field: ClassVar[str] = "x"
    is_sent_in_full: ClassVar[bool] = True
    x_pointer: ClassVar[str] = "/dataset/x"
    y_pointer: ClassVar[str] = "/dataset/y"

    kind: Literal["inline"]
    x: Annotated[list[Finite], FailFast()] = Field(min_length=1)  # one wrong value is reported, not a million
    y: Annotated[list[Finite], FailFast()] = Field(min_length=1)

    @model_validator(mode="after")
    def _lengths_agree(self) -> Self:
        if len(self.x) != len(self.y):
            raise ValueError(f"x has {len(self.x)} values and y has {len(self.y)}; both must have the same number")
        return self

    @staticmethod
    def max_points(settings: Settings) -> int:
        """The most points that such a data set may have."""
        return settings.max_inline_points

    @property
    def points(self) -> int:
        """The number of points."""
        return len(self.x)

    @property
    def grid(self) -> None:
        """None: x may have any values."""
        return None

    @property
    def shared_by_pack(self) -> list[Any]:
        """What the members of a pack agree in, beside the number of points: nothing."""
        return []

    def x_values(self) -> np.ndarray:
        """x in float64, (points,)."""
        return np.array(self.x)

    def y_values(self, seed: int) -> np.ndarray:
        """y in float64, (points,)."""
        return np.array(self.y)

    def key(self, seed: int) -> None:
        """None: only the values themselves tell whether two are equal."""
        return None

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays that a runner must be sent: x and y, float64, (points,) each."""
        return {"x": np.asarray(self.x, np.float64), "y": np.asarray(self.y, np.float64)}

    def summary(self) -> dict[str, Any]:
        """The data set as JSON, without arrays."""
        return {"kind": self.kind, "points": self.points}


AnyData = FunctionData | InlineData | FileData
Dataset = Annotated[
    Annotated[FunctionData, Tag("function")] | Annotated[InlineData, Tag("inline")] | Annotated[FileData, Tag("file")],
    named("kind", "function"),
]

_KINDS: dict[str, type[AnyData]] = {"function": FunctionData, "inline": InlineData, "file": FileData}


def stored_dataset(dataset: Mapping[str, Any]) -> AnyData:
    """The data set of a stored spec. It is not validated again: 10,000 points cost as little as one.

    Of a file it is known by its description alone.
    """
    return _KINDS[dataset["kind"]].model_construct(**dataset)


def digest(arrays: Mapping[str, np.ndarray]) -> bytes:
    """A hash of the arrays: data sets of equal hashes are sent to a runner once."""
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays.values())).digest()
