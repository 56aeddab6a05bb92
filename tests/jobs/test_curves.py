"""The figures of a curve, and its picture of fewer points."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gradyard.jobs.curves import Summary, reduce


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=300), st.integers(1, 50))
def test_the_figures_do_not_depend_on_where_the_curve_is_cut(losses: list[float], cut: int) -> None:
    whole, pieces = Summary(), Summary()
    array = np.array(losses)
    whole.take(array, 0)
    for start in range(0, len(losses), cut):
        pieces.take(array[start : start + cut], start)
    assert whole == pieces
    assert whole.loss_min == min(losses)
    assert whole.loss_min_step == losses.index(min(losses))


@given(st.integers(1, 5000), st.integers(4, 400), st.integers(0, 2**32 - 1))
def test_a_reduced_curve_keeps_first_last_lowest_and_highest(count: int, points: int, seed: int) -> None:
    losses = np.random.default_rng(seed).normal(size=count)
    steps = reduce(losses, points)
    assert len(steps) <= max(points, min(count, points))
    assert {0, count - 1, int(losses.argmin()), int(losses.argmax())} <= set(steps.tolist())
    assert np.all(np.diff(steps) > 0)
