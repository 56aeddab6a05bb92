"""Checks what a trainer returns before it leaves the runner. The errors are for the trainer's author."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from workers.protocol.messages.fitting import fits
from workers.protocol.messages.segment import MOST_FORMULA, MemberResult
from workers.trainers.contract import Array

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
MOST_NAMES = 64
MOST_BYTES = 64 * 2**20
"""Of all arrays of one member together."""
MOST_BYTES_OF_A_PACK = 2**30


def check_losses(losses: Array, width: int, dtype: str) -> None:
    """Raises ValueError or TypeError where losses are not (members, steps) in the dtype of the jobs."""
    if losses.ndim != 2 or len(losses) != width:
        raise ValueError(f"step() must return one loss a member; {width} members gave losses of shape {losses.shape}")
    if losses.dtype.name != dtype:
        raise TypeError(f"step() returned losses of dtype {losses.dtype.name}, and the jobs are of {dtype}")


def checked_metrics(
    parts: Sequence[Mapping[str, Array]], width: int, every: Any, begin: int, end: int
) -> dict[str, Array]:
    """The metrics of consecutive segments by name, joined, as float64: (members, measured steps).

    Raises TypeError where `every` is not a positive integer, and ValueError or TypeError where a metric does not have
    one number for each member at each step from `begin` up to `end` that `every` divides.
    """
    if type(every) is not int or every < 1:
        raise TypeError(f"every is {every!r}; it must be an integer of 1 or more")
    names = dict.fromkeys(name for part in parts for name in part)
    _check_names(names)
    shape = (width, -(-end // every) - -(-begin // every))
    curves = {}
    for name in names:
        curve = _joined(name, [np.asarray(part[name]) for part in parts if name in part])
        if curve.shape != shape:
            raise ValueError(
                f"metric {name!r} must be one number a member at each measured step, in every call; "
                f"steps {begin} to {end} of {width} members gave {curve.shape}, not {shape}"
            )
        curves[name] = curve
    return curves


def checked_final_metrics(metrics: Mapping[str, Array], width: int) -> dict[str, Array]:
    """What was measured after the last step, by name, as float64: (members,).

    Raises ValueError or TypeError where a metric is not one number for each member.
    """
    _check_names(metrics)
    for name, values in metrics.items():
        if np.shape(values) != (width,):
            raise ValueError(
                f"metric {name!r} must be one number a member; "
                f"after the last step {width} members gave {np.shape(values)}"
            )
    return {name: _joined(name, [np.asarray(values)]) for name, values in metrics.items()}


def _joined(name: str, values: Sequence[Array]) -> Array:
    if any(each.dtype.kind not in "biuf" for each in values):
        raise TypeError(f"metric {name!r} has dtype {values[0].dtype}; it must be numbers")
    return np.concatenate([each.astype(np.float64) for each in values], axis=-1)


def checked_state(state: Mapping[str, Array], width: int) -> dict[str, Array]:
    """The state of a pack, unchanged. Raises TypeError or ValueError where it is not made of arrays of its members."""
    if not isinstance(state, Mapping):
        raise TypeError(f"state() must return a dict of arrays, and returned a {type(state).__name__}")
    for name, array in state.items():
        if not (isinstance(name, str) and isinstance(array, np.ndarray)):
            raise TypeError(f"{name!r} of state() is a {type(array).__name__}, not an array with a name")
        if array.dtype.hasobject or array.dtype.kind == "V":
            raise TypeError(f"array {name!r} of state() has dtype {array.dtype}; it must be of plain numbers")
        if array.shape[:1] != (width,):
            raise ValueError(
                f"array {name!r} of state() has shape {array.shape}; its first axis is not of {width} members"
            )
    return dict(state)


def checked_result(result: MemberResult) -> MemberResult:
    """The result, unchanged. Raises TypeError where a coefficient is no number, or the formula is no short text."""
    if not fits(list(result), MemberResult) or len(result.formula or "") > MOST_FORMULA:
        raise TypeError(
            "coefficients() must return a dict of floats for each member, and formula() a text of at most "
            f"{MOST_FORMULA:,} characters; they returned {result.coefficients!r:.200} and {result.formula!r:.200}"
        )
    return result


def checked_arrays(arrays: Mapping[str, Array], width: int) -> dict[str, Array]:
    """The arrays, unchanged. Raises ValueError or TypeError where they are too large or not of `width` members."""
    if not isinstance(arrays, Mapping):
        raise TypeError(f"arrays() must return a dict of arrays, and returned a {type(arrays).__name__}")
    _check_names(arrays)
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise TypeError(f"array {name!r} is a {type(array).__name__}, not an array of numpy")
        if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
            raise TypeError(f"array {name!r} has dtype {array.dtype}; it must be numbers of at most 64 bits")
        if array.shape[:1] != (width,):
            raise ValueError(f"array {name!r} has shape {array.shape}; its first axis is that of the {width} members")
    size = sum(array.nbytes for array in arrays.values())
    if size > MOST_BYTES * width:
        raise ValueError(f"its arrays have {size // width:,} bytes a member; at most {MOST_BYTES:,} are stored")
    if size > MOST_BYTES_OF_A_PACK:  # the pack is halved and tried again
        raise ValueError(f"the arrays of a pack of {width} have {size:,} bytes; at most {MOST_BYTES_OF_A_PACK:,} fit")
    return dict(arrays)


def _check_names(names: Iterable[Any]) -> None:
    """Raises ValueError for names that cannot be part of a URL, or too many of them."""
    names = list(names)
    if len(names) > MOST_NAMES:
        raise ValueError(f"{len(names)} names; at most {MOST_NAMES} are stored")
    for name in names:
        if not (isinstance(name, str) and NAME.fullmatch(name)):
            raise ValueError(
                f"{name!r} is not a name: 1 to 64 letters, digits, '_', '.' and '-', a letter or digit first"
            )
