"""A pack's x and y: which rows it has, the rows of the numpy stage, and noise. Loads without torch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from workers.trainers.contract import Array, Member
from workers.trainers.inputs.draws import Floats, Stream, normals

Row = TypeVar("Row")

FUNCTIONS: Mapping[str, Callable[[Array], Array]] = {
    "sin": np.sin,
    "cos": np.cos,
    "exp": np.exp,
    "tanh": np.tanh,
    "step": lambda x: np.heaviside(x, np.ones((), x.dtype)),
    "abs": np.abs,
    "gauss": lambda x: np.exp(-(x**2)),
}


def numpy_rows(members: Sequence[Member]) -> tuple[list[Array], list[Array]]:
    """The x rows and the y rows, each (points,) each; one where all members have the same, else one for each."""
    dtype = np.dtype(members[0]["dtype"])
    return x_and_y_rows(members, lambda member: _numpy_x(member, dtype), lambda member, x: _numpy_y(member, x, dtype))


def x_and_y_rows(
    members: Sequence[Member], make_x: Callable[[Member], Row], make_y: Callable[[Member, Row], Row]
) -> tuple[list[Row], list[Row]]:
    """Make every distinct row once. A row of its own has the same bits as a shared one, only the memory differs."""
    x_keys = [_x_key(member["dataset"]) for member in members]
    made_x: dict[Hashable, Row] = {}
    made_y: dict[Hashable, Row] = {}
    y_keys = []
    for member, x_key in zip(members, x_keys, strict=True):
        if x_key not in made_x:
            made_x[x_key] = make_x(member)
        y_key = (x_key, _y_key(member))
        y_keys.append(y_key)
        if y_key not in made_y:
            made_y[y_key] = make_y(member, made_x[x_key])
    return _one_or_all(x_keys, made_x), _one_or_all(y_keys, made_y)


def noise(member: Member, count: int) -> Floats | None:
    """What the dataset adds to y, drawn and scaled in float64, shape (count,); None where it adds nothing."""
    scale = member["dataset"].get("noise", 0.0)
    return scale * normals(member["seed"], Stream.NOISE, count) if scale else None


def _one_or_all(keys: Sequence[Hashable], made: Mapping[Hashable, Row]) -> list[Row]:
    return list(made.values()) if len(made) == 1 else [made[key] for key in keys]


def _x_key(dataset: Mapping[str, Any]) -> Hashable:
    if dataset["kind"] == "inline":
        return _digest(dataset["x"])
    return dataset["start"], dataset["stop"], dataset["points"]


def _y_key(member: Member) -> Hashable:
    dataset = member["dataset"]
    if dataset["kind"] == "inline":
        return _digest(dataset["y"])
    scale = dataset.get("noise", 0.0)
    return dataset["function"], scale, member["seed"] if scale else None


def _digest(values: Any) -> bytes:
    return hashlib.sha256(np.asarray(values, dtype=np.float64).tobytes()).digest()


def _numpy_x(member: Member, dtype: np.dtype[Any]) -> Array:
    dataset = member["dataset"]
    if dataset["kind"] == "inline":
        return np.array(dataset["x"], dtype=dtype)
    return np.linspace(dataset["start"], dataset["stop"], dataset["points"], dtype=dtype)


def _numpy_y(member: Member, x: Array, dtype: np.dtype[Any]) -> Array:
    dataset = member["dataset"]
    if dataset["kind"] == "inline":
        return np.array(dataset["y"], dtype=dtype)
    y = FUNCTIONS[dataset["function"]](x)
    added = noise(member, len(x))
    return y if added is None else y + added.astype(dtype)
