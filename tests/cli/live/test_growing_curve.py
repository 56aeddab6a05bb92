"""A curve from the parts in which a stream tells it."""

from typing import Any

import numpy as np

from gradyard.cli.live.growing_curve import KEPT_POINTS, MOST_POINTS, GrowingCurve
from gradyard.shapes import CurvePart


def part(begin: int, *losses: float | None, **changed: Any) -> CurvePart:
    return CurvePart(job="x", from_step=begin, to_step=begin + len(losses), losses=losses, **changed)


def test_a_part_takes_the_place_of_what_was_known_from_its_first_step_on() -> None:
    curve = GrowingCurve()
    assert curve.last is None
    for each in (part(0, 9.0, 8.0, 7.0), part(3, 6.0, None), part(2, 5.0, 4.0)):
        curve.take(each)
    steps, losses = curve.points
    assert steps.tolist() == [0, 1, 2, 3]
    assert losses.tolist() == [9, 8, 5, 4]
    curve.take(part(1))  # the database lost its last commits
    assert curve.points[1].tolist() == [9]


def test_what_is_not_finite_is_no_last_loss() -> None:
    curve = GrowingCurve()
    curve.take(part(0, 9.0, None))
    assert curve.last == 9


def test_a_part_of_chosen_steps_keeps_them() -> None:
    curve = GrowingCurve()
    curve.take(CurvePart(job="x", from_step=0, to_step=100, steps=(0, 7, 99), losses=(3.0, 2.0, 1.0)))
    curve.take(part(100, 0.5))
    assert curve.points[0].tolist() == [0, 7, 99, 100]


def test_a_long_curve_keeps_its_lowest_and_highest() -> None:
    curve, losses = GrowingCurve(), np.random.default_rng(7).random(MOST_POINTS + 1)
    curve.take(part(0, *losses.tolist()))
    steps, kept = curve.points
    assert len(kept) <= KEPT_POINTS
    assert {losses.min(), losses.max()} <= set(kept)
    assert np.array_equal(losses[steps], kept)
