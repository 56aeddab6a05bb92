"""The floors of a step: what a stage is said to move is what it moves, and a core has a limit."""

from typing import Any

import numpy as np
import pytest

from bench.core_limit import MOVED_BY_POLYNOMIAL, CoreLimit, core_limit, floor
from workers.trainers.losses.squared_error import SquaredError

MEMBERS, POINTS = 3, 50


class Counted(np.ndarray):
    """An array that counts the rows, of POINTS numbers a member, that numpy's operations read and write."""

    rows = 0

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        into = options.pop("out", ())
        given = [_plain(each) for each in (*inputs, *into)]
        out = {"out": tuple(given[len(inputs) :])} if into else {}
        result = getattr(ufunc, method)(*given[: len(inputs)], **options, **out)
        read = {id(each): given[at] for at, each in enumerate(inputs)}  # a square reads its array once
        touched = [*read.values(), *(given[len(inputs) :] if into else [result])]
        Counted.rows += sum(np.shape(each)[-1:] == (POINTS,) for each in touched)
        return into[0] if into else result


def _plain(array: Any) -> Any:
    return array.view(np.ndarray) if isinstance(array, Counted) else array


def test_a_step_of_the_numpy_stage_moves_the_rows_that_its_floor_counts() -> None:
    basis, y = np.ones((4, 1, POINTS)).view(Counted), np.ones((1, POINTS)).view(Counted)
    workspace = np.empty((2, MEMBERS, POINTS)).view(Counted)
    step = SquaredError(np, np.ones((4, MEMBERS, 1)), basis, y, workspace, None, np.add.reduce)
    Counted.rows = 0
    loss, gradients = step()
    assert Counted.rows == MOVED_BY_POLYNOMIAL
    assert np.asarray(loss).tolist() == [9.0 * POINTS] * MEMBERS
    assert np.asarray(gradients[..., 0]).tolist() == [[6.0 * POINTS] * MEMBERS] * 4


def test_floors_are_the_counts_by_the_limit() -> None:
    limit = CoreLimit(operations=40_000.0, bytes=100_000.0)  # in a microsecond
    assert list(floor("numpy", "eager", "float64", 2000, limit)) == pytest.approx([1.0, 5.6])
    assert list(floor("numpy", "blas", "float64", 2000, limit)) == pytest.approx([1.0, 0.48])
    assert list(floor("tensor", "inductor", "float32", 2000, limit)) == [1.0, 0.0]
    assert list(floor("dynamic", "eager", "float32", 2000, limit)) == pytest.approx([1.2, 3.52])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_core_has_a_limit(dtype: str) -> None:
    limit = core_limit(dtype, 0.02)
    assert limit.operations > 0
    assert limit.bytes > 0
