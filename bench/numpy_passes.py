"""Where a step of stage `numpy` spends its time: each pass over a block of a pack, and the products of `blas`.

python -m bench.numpy_passes

To imitate a core without AVX-512 on one that has it, set NPY_DISABLE_CPU_FEATURES="X86_V4 AVX512_ICL AVX512_SPR" and
OPENBLAS_CORETYPE=Zen. Times are of the thread, not of the wall, so that other work disturbs them less.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median

import numpy as np

from bench.packs import POINTS
from bench.report import Row, table
from workers.runner.numerics import one_thread
from workers.trainers.tensors.memory import LEAST_BUFFER, cache_aligned

MEMBERS, ROUNDS, CALLS = 16, 80, 10
BUFFERS = (8192, LEAST_BUFFER)  # numpy's own, and the one that the stage sets

Call = Callable[[], object]
Calls = Mapping[str, Call]


def main() -> None:
    """Measure and print; nothing is written down."""
    one_thread()
    wanted = [(f"{name}, buffer of {buffer:,}", call, buffer) for name, call in _passes().items() for buffer in BUFFERS]
    wanted += [(name, call, LEAST_BUFFER) for name, call in _products().items()]
    wanted.append(("x**3, twice in the tutorial's loop: each", lambda: _X**3, BUFFERS[0]))
    took = _microseconds(wanted)
    power = took.pop()
    rows = [Row(name, f"{each:.2f} us a member") for (name, _, _), each in zip(wanted, took, strict=False)]
    print(table([*rows, Row(wanted[-1][0], f"{power * MEMBERS:.1f} us")]))


_X = np.linspace(-np.pi, np.pi, POINTS)


def _passes() -> Calls:
    error, term = cache_aligned(np.full((MEMBERS, POINTS), 0.5)), cache_aligned(np.zeros((MEMBERS, POINTS)))
    weight, sums, row = np.zeros((MEMBERS, 1)), np.zeros(MEMBERS), cache_aligned(_X[np.newaxis])
    return {
        "weight times power": lambda: np.multiply(weight, row, out=term),
        "error plus weight": lambda: np.add(error, weight, out=error),
        "error plus term": lambda: np.add(error, term, out=error),
        "error times power": lambda: np.multiply(error, row, out=term),
        "sum of a row": lambda: np.add.reduce(error, -1, out=sums),
    }


def _products() -> Calls:
    basis = cache_aligned(np.stack([*(_X**exponent for exponent in range(4)), np.sin(_X)]))
    error, weights = cache_aligned(np.full((MEMBERS, POINTS), 0.5)), np.full((MEMBERS, 5), 0.5)
    powers, gradients, losses = basis[:4], np.zeros((MEMBERS, 4)), np.zeros(MEMBERS)
    return {
        "blas: error, one product": lambda: np.matmul(weights, basis, out=error),
        "blas: loss, a dot product each": lambda: np.vecdot(error, error, out=losses),
        "blas: gradients, one product": lambda: np.matmul(error, powers.T, out=gradients),
        "blas: gradients, a product each": lambda: np.matvec(powers, error, out=gradients),
    }


def _microseconds(wanted: Sequence[tuple[str, Call, int]]) -> list[float]:
    """The median time of each call with its buffer, for one member; all calls in turn."""
    took: list[list[float]] = [[] for _ in wanted]
    with np.errstate(all="ignore"):
        for _ in range(ROUNDS):
            for (_, call, buffer), times in zip(wanted, took, strict=True):
                np.setbufsize(buffer)
                began = time.thread_time()
                for _ in range(CALLS):
                    call()
                times.append((time.thread_time() - began) / CALLS / MEMBERS * 1e6)
    return [median(each) for each in took]


if __name__ == "__main__":
    main()
