"""What a trainer hands over beside its losses, checked before it leaves the runner: its author reads what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from workers.trainers.contract import Array

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
MOST_NAMES = 64
MOST_BYTES = 64 * 2**20
"""Of all arrays of one member together."""


def check_names(names: Any) -> None:
    """ValueError for names that cannot stand in a URL, or too many of them."""
    if len(names) > MOST_NAMES:
        raise ValueError(f"{len(names)} names; at most {MOST_NAMES}")
    for name in names:
        if not (isinstance(name, str) and NAME.fullmatch(name)):
            raise ValueError(f"{name!r} is no name: 1 to 64 letters, digits, '_', '.' and '-', a letter or digit first")


def checked_arrays(arrays: Mapping[str, Array], width: int) -> dict[str, Array]:
    """The arrays as they are; ValueError or TypeError where they are not numbers of `width` members, or too large."""
    check_names(arrays)
    for name, array in arrays.items():
        if array.dtype.kind not in "biuf":
            raise TypeError(f"array {name!r} has dtype {array.dtype}; only booleans, integers and floats are stored")
        if array.shape[:1] != (width,):
            raise ValueError(f"array {name!r} has shape {array.shape}; its first axis is that of the {width} members")
    size = sum(array.nbytes // max(1, width) for array in arrays.values())
    if size > MOST_BYTES:
        raise ValueError(f"its arrays have {size:,} bytes; at most {MOST_BYTES:,} are stored")
    return dict(arrays)
