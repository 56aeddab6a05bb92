"""Where two curves differ, bit for bit. Long ones are compared a block at a time."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from gradyard.jobs.curves import Curve

AT_ONCE_BYTES = 2**20


class Difference(NamedTuple):
    """Where two rows of numbers differ first; `missing`: one of them ends there, and until there they are the same."""

    at: int
    missing: bool


def first_difference(one: Iterable[bytes], other: Iterable[bytes], item_bytes: int) -> Difference | None:
    """Where two rows of numbers of so many bytes each differ first, or one of them ends; None where they are equal.

    Both come in blocks of any lengths, of which one of each is in memory at a time.
    """
    sides = [(memoryview(block) for block in blocks if block) for blocks in (one, other)]
    index, nothing = 0, memoryview(b"")
    left = right = nothing
    while True:
        left, right = left or next(sides[0], nothing), right or next(sides[1], nothing)
        if not left or not right:
            return Difference(index // item_bytes, missing=True) if left or right else None
        size = min(len(left), len(right), AT_ONCE_BYTES)
        unequal = np.frombuffer(left[:size], np.uint8) != np.frombuffer(right[:size], np.uint8)
        if unequal.any():
            return Difference((index + int(unequal.argmax())) // item_bytes, missing=False)
        index, left, right = index + size, left[size:], right[size:]


def first_different_value(one: Curve, other: Curve) -> Difference | None:
    """The first step at which two named curves differ, in a value or by having none; None where they are equal."""
    size = min(len(one.values), len(other.values))
    steps = [np.asarray(each.steps[:size], np.int64) for each in (one, other)]
    bits = [np.ascontiguousarray(each.values[:size]).view(np.uint64) for each in (one, other)]
    unequal = np.flatnonzero((steps[0] != steps[1]) | (bits[0] != bits[1]))
    if len(unequal):
        return Difference(int(steps[0][unequal[0]]), missing=False)
    longer = one if len(one.values) > size else other
    return Difference(int(longer.steps[size]), missing=True) if len(longer.values) > size else None
