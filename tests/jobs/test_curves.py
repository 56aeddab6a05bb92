"""The figures of a curve, and its picture of fewer points."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradyard.jobs.curves import Curve, Summary, measured_steps, reduce


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


@given(
    st.lists(st.integers(0, 300), unique=True, max_size=60), st.none() | st.integers(-320, 320),
    st.none() | st.integers(-320, 320),
)  # fmt: skip
def test_a_range_of_steps_is_a_slice_up_to_the_last_step(steps: list[int], begin: int | None, end: int | None) -> None:
    steps = sorted(steps)
    curve = Curve(np.array(steps, np.int64), np.array(steps) / 2)
    wanted = sorted(set(range(max(steps, default=-1) + 1)[begin:end]) & set(steps))
    found = curve.between(begin, end)
    assert list(found.steps) == wanted
    assert found.values.tolist() == [step / 2 for step in wanted]


@given(st.integers(1, 3000), st.integers(4, 200), st.integers(0, 50), st.integers(1, 9))
def test_chosen_points_keep_their_steps(count: int, most: int, first: int, every: int) -> None:
    values = np.random.default_rng(count).normal(size=count)
    for steps in (range(first, first + count * every, every), first + np.arange(count) * every):
        points = Curve(steps, values).points(most)
        assert np.array_equal(points.values, values[(np.asarray(points.steps) - first) // every])


def test_a_value_that_is_not_finite_is_chosen_as_little_as_any_other() -> None:
    values = np.array([1.0, np.nan, -np.inf, 2.0])
    assert list(Curve(range(4), values).points(100).steps) == [0, 1, 2, 3]


def test_parts_of_a_metric_know_their_steps() -> None:
    assert measured_steps(0, 4, 3).tolist() == [0, 4, 8]
    assert measured_steps(5, 4, 2).tolist() == [8, 12]  # the first steps of the part were not measured
    assert measured_steps(13, 1, 1).tolist() == [13]  # that of the final weights


@pytest.mark.parametrize("window", [1, 3, 5, 51, 1001])
def test_a_smoothed_curve_has_the_mean_of_the_values_around_each(window: int) -> None:
    values, half = np.random.default_rng(3).lognormal(size=90), window // 2
    expected = [values[max(0, at - half) : at + half + 1].mean() for at in range(90)]
    smoothed = Curve(range(5, 95), values).smoothed(window)
    np.testing.assert_allclose(smoothed.values, expected)
    assert smoothed.steps == range(5, 95)


def test_what_is_not_finite_is_left_out_of_a_mean_and_an_empty_curve_stays_empty() -> None:
    smoothed = Curve(range(5), np.array([1.0, np.nan, 3.0, np.inf, np.inf])).smoothed(3)
    np.testing.assert_allclose(smoothed.values, [1.0, 2.0, 3.0, 3.0, np.nan])
    assert len(Curve(range(0), np.empty(0)).smoothed(3).values) == 0
