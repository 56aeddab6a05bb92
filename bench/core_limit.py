"""What one core can do, measured beside the packs: the time below which no step of one job gets on it."""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

SIDE = 192  # of the matrices: OpenBLAS is near its best from about here on, and they stay near the core
BLOCK_BYTES = 2**17  # of each of two arrays, which leaves room in 512 KiB
GAP_BYTES = 2112  # between them: where arrays lie a multiple of 4 KiB apart, loads wait for stores, and half is lost

# For a point of one member. A multiply-add is two. Polynomials: 5 of them for y_pred - y, 1 for the loss, 4 for the
# gradients. `function` has P3 and its slope, `dynamic` on average one more coefficient.
OPERATIONS = {"function": 22, "dynamic": 24}
OPERATIONS_OF_POLYNOMIAL = 20

# Numbers that are read and written for a point of one member where every operation is a pass of its own: the operands
# and the result of each. `tests/bench/test_core_limit.py` counts those of stage `numpy`.
MOVED = {"function": 44, "dynamic": 44}
MOVED_BY_POLYNOMIAL = 35
MOVED_BY_PRODUCTS = 3  # the error is written once, and read for the loss and for the gradients


class CoreLimit(NamedTuple):
    """Floating-point operations, and bytes of arrays that stay in the core's own cache, in a microsecond."""

    operations: float
    bytes: float

    def __str__(self) -> str:
        return f"{self.operations / 1e3:.0f} billion operations, {self.bytes / 1e3:.0f} GB a second"


class Floor(NamedTuple):
    """The least microseconds of a step of one job by its operations, and by the bytes that its engine moves."""

    operations: float
    bytes: float

    def __str__(self) -> str:
        return f"{self.operations:.2f} us by operations, {self.bytes:.2f} us by bytes"


def core_limit(dtype: str, least_seconds: float) -> CoreLimit:
    """Measured with numpy: a product of square matrices, and an array added to another one in place."""
    a, b, product = (np.full((SIDE, SIDE), 0.5, dtype) for _ in range(3))
    length, gap = (size // np.dtype(dtype).itemsize for size in (BLOCK_BYTES, GAP_BYTES))
    both = np.full(2 * length + gap, 0.5, dtype)
    x, total = both[:length], both[-length:]
    multiplications = _calls_per_microsecond(lambda: np.matmul(a, b, out=product), least_seconds / 2)
    additions = _calls_per_microsecond(lambda: np.add(total, x, out=total), least_seconds / 2)
    return CoreLimit(2 * SIDE**3 * multiplications, 3 * BLOCK_BYTES * additions)


def floor(stage: str, engine: str, dtype: str, points: int, limit: CoreLimit) -> Floor:
    """For a job of the third degree. A program that keeps its numbers in registers (`inductor`) moves none."""
    operations = OPERATIONS.get(stage, OPERATIONS_OF_POLYNOMIAL) * points
    moved = {"eager": MOVED.get(stage, MOVED_BY_POLYNOMIAL), "blas": MOVED_BY_PRODUCTS}.get(engine, 0) * points
    return Floor(operations / limit.operations, moved * np.dtype(dtype).itemsize / limit.bytes)


def _calls_per_microsecond(call: Callable[[], object], least_seconds: float) -> float:
    calls, began = 0, time.perf_counter()
    while (seconds := time.perf_counter() - began) < least_seconds:
        for _ in range(20):
            call()
        calls += 20
    return calls / (seconds * 1e6)
