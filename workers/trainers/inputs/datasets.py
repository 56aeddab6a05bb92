"""A pack's x and y: one class for each kind of data set, and the rows of the numpy stage. Loads without torch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np

from gradyard.jobs.numbers.draws import Stream, normals
from gradyard.jobs.numbers.functions import FUNCTIONS
from gradyard.jobs.numbers.scaling import Scaling
from workers.trainers.contract import Array, Member

Row = TypeVar("Row", bound=Any)
"""A numpy array or a torch tensor, (points,)."""


class Library(Protocol[Row]):
    """What a data set needs of numpy or torch, in the pack's dtype."""

    functions: Mapping[str, Callable[[Row], Row]]

    def linspace(self, start: float, stop: float, points: int) -> Row:
        """An even grid, (points,)."""
        ...

    def copy(self, values: Any) -> Row:
        """A list or a float64 array, rounded to the dtype. Never a view: the source may be read-only and shared."""
        ...


class FunctionData:
    """A function on an even grid, with seeded normal noise on y."""

    def __init__(self, member: Member) -> None:
        self._dataset: Mapping[str, Any] = member["dataset"]
        self._seed: int = member["seed"]
        self._noise: float = self._dataset.get("noise", 0.0)

    def x_key(self) -> Hashable:
        """Data sets of equal keys have the same x."""
        return self._dataset["start"], self._dataset["stop"], self._dataset["points"]

    def y_key(self) -> Hashable:
        """Data sets of equal `x_key` and `y_key` have the same y."""
        return self._dataset["function"], self._noise, self._seed if self._noise else None

    def x(self, library: Library[Row]) -> Row:
        """(points,)"""
        return library.linspace(self._dataset["start"], self._dataset["stop"], self._dataset["points"])

    def y(self, library: Library[Row], x: Row) -> Row:
        """(points,); the noise is drawn and scaled in float64."""
        y = library.functions[self._dataset["function"]](x)
        if not self._noise:
            return y
        noise = self._noise * normals(self._seed, Stream.NOISE, self._dataset["points"])
        return y + library.copy(noise)


class InlineData:
    """Points given in the request: x and y as lists or as float64 arrays."""

    def __init__(self, member: Member) -> None:
        self._dataset: Mapping[str, Any] = member["dataset"]

    def x_key(self) -> Hashable:
        """Data sets of equal keys have the same x."""
        return _digest(self._dataset["x"])

    def y_key(self) -> Hashable:
        """Data sets of equal `x_key` and `y_key` have the same y."""
        return _digest(self._dataset["y"])

    def x(self, library: Library[Row]) -> Row:
        """(points,)"""
        return library.copy(self._dataset["x"])

    def y(self, library: Library[Row], x: Row) -> Row:
        """(points,); `x` is not used."""
        return library.copy(self._dataset["y"])


class Scaled:
    """A data set whose x and y are scaled, in float64, before they are rounded to the pack's dtype."""

    def __init__(self, data: FunctionData | InlineData, scaling: Scaling) -> None:
        self._data, self._scaling = data, scaling

    def x_key(self) -> Hashable:
        """Data sets of equal keys have the same x."""
        return self._data.x_key(), self._scaling

    def y_key(self) -> Hashable:
        """Data sets of equal `x_key` and `y_key` have the same y."""
        return self._data.y_key(), self._scaling

    def x(self, library: Library[Row]) -> Row:
        """(points,)"""
        return library.copy(self._scaling.scaled_x(self._data.x(FLOAT64)))

    def y(self, library: Library[Row], x: Row) -> Row:
        """(points,); a function is one of x as it was before, so the `x` given is not used."""
        return library.copy(self._scaling.scaled_y(self._data.y(FLOAT64, self._data.x(FLOAT64))))


_KINDS: Mapping[str, type[FunctionData | InlineData]] = {"function": FunctionData, "inline": InlineData}


class NumpyLibrary:
    """Rows as numpy arrays."""

    functions = FUNCTIONS

    def __init__(self, dtype: str) -> None:
        self._dtype = np.dtype(dtype)

    def linspace(self, start: float, stop: float, points: int) -> Array:
        """An even grid, (points,)."""
        return np.linspace(start, stop, points, dtype=self._dtype)

    def copy(self, values: Any) -> Array:
        """A new array of the values, rounded to the dtype."""
        return np.array(values, dtype=self._dtype)


FLOAT64: Library[Any] = NumpyLibrary("float64")


def numpy_rows(members: Sequence[Member]) -> tuple[list[Array], list[Array]]:
    """The x rows and the y rows, each (points,); one where all members have the same, else one for each."""
    return x_and_y_rows(members, NumpyLibrary(members[0]["dtype"]))


def x_and_y_rows(members: Sequence[Member], library: Library[Row]) -> tuple[list[Row], list[Row]]:
    """Make every distinct row once. A row of its own has the same bits as a shared one; only the memory differs."""
    datasets = [_dataset_of(member) for member in members]
    x_keys = [dataset.x_key() for dataset in datasets]
    y_keys = [(x_key, dataset.y_key()) for x_key, dataset in zip(x_keys, datasets, strict=True)]
    made_x: dict[Hashable, Row] = {}
    made_y: dict[Hashable, Row] = {}
    for dataset, x_key, y_key in zip(datasets, x_keys, y_keys, strict=True):
        if x_key not in made_x:
            made_x[x_key] = dataset.x(library)
        if y_key not in made_y:
            made_y[y_key] = dataset.y(library, made_x[x_key])
    return _one_or_all(x_keys, made_x), _one_or_all(y_keys, made_y)


def _dataset_of(member: Member) -> FunctionData | InlineData | Scaled:
    data = _KINDS[member["dataset"]["kind"]](member)
    scaling = member.get("scaling")
    return data if scaling is None else Scaled(data, Scaling(**scaling))


def _one_or_all(keys: Sequence[Hashable], made: Mapping[Hashable, Row]) -> list[Row]:
    return list(made.values()) if len(made) == 1 else [made[key] for key in keys]


def _digest(values: Any) -> bytes:
    return hashlib.sha256(np.asarray(values, dtype=np.float64).tobytes()).digest()
