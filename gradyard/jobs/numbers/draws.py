"""Every random number of a job, as a function of its seed, a stream and a position; nothing is remembered.

The generator is Philox4x64-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011) with key
(seed, stream). Its n-th output can be had without the first n - 1, so a job resumed at any step draws what it would
have drawn anyway.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Stream(IntEnum):
    """Independent sequences of one seed. The numbers are part of the promise that a seed repeats: never change one."""

    INITIAL_WEIGHTS = 1
    NOISE = 2
    ORDER = 3


# One increment of Philox's counter makes four 64-bit outputs.
_OUTPUTS_PER_COUNT = 4


class _Draws(threading.local):
    """A generator of each thread: to set its state takes a fifth of the time of making one."""

    def __init__(self) -> None:
        self.bits = np.random.Philox(key=0)
        self._generator = np.random.Generator(self.bits)
        self._state = self.bits.state
        self._key, self._counter = self._state["state"]["key"], self._state["state"]["counter"]

    def at(self, seed: int, stream: Stream, counter: int = 0) -> np.random.Generator:
        """The generator at that place of the stream, to be used before the next call."""
        self._key[0], self._key[1] = seed, stream
        self._counter[:] = 0
        self._counter[0] = counter
        self.bits.state = self._state
        return self._generator

    def of_each(self, seeds: Sequence[int], stream: Stream, drawn: Floats, draw: Callable[..., Any]) -> Floats:
        """Fill each row of `drawn` from the beginning of a seed's stream. draw: a method of `np.random.Generator`."""
        generator, bits, state, key = self._generator, self.bits, self._state, self._key
        self._counter[:] = 0
        key[1] = stream
        for row, seed in zip(drawn, seeds, strict=True):
            key[0] = seed
            bits.state = state
            draw(generator, out=row)
        return drawn


_draws = _Draws()


def normals(seed: int, stream: Stream, count: int) -> Floats:
    """`count` standard normal numbers; a longer draw begins with the shorter one."""
    return _draws.at(seed, stream).standard_normal(count)


def normals_of(seeds: Sequence[int], stream: Stream, count: int) -> Floats:
    """The `normals` of each of these seeds, (seeds, count)."""
    return _draws.of_each(seeds, stream, np.empty((len(seeds), count)), np.random.Generator.standard_normal)


def uniforms(seed: int, stream: Stream, count: int) -> Floats:
    """`count` numbers uniform over [-1, 1); a longer draw begins with the shorter one."""
    return 2.0 * _draws.at(seed, stream).random(count) - 1.0


def uniforms_of(seeds: Sequence[int], stream: Stream, count: int) -> Floats:
    """The `uniforms` of each of these seeds, (seeds, count)."""
    return 2.0 * _draws.of_each(seeds, stream, np.empty((len(seeds), count)), np.random.Generator.random) - 1.0


def orders(seed: int, begin: int, count: int) -> npt.NDArray[np.int64]:
    """The polynomial's order at steps `begin` to `begin + count - 1` of the `dynamic` stage, each 3, 4 or 5.

    Step t uses output t of the stream, whatever range it is asked for in. The remainder of 64 random bits by 3 favours
    no order by more than 2^-63.
    """
    skipped = begin % _OUTPUTS_PER_COUNT
    _draws.at(seed, Stream.ORDER, begin // _OUTPUTS_PER_COUNT)
    bits = _draws.bits.random_raw(skipped + count)
    return 3 + (bits[skipped:] % 3).astype(np.int64)
