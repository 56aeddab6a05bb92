"""Small charts."""

import re

import numpy as np

from service.dashboard.charts.small import bars, line


def test_a_curve_runs_from_its_left_top_to_its_right_foot() -> None:
    assert 'points="2.0,2.0 60.0,14.0 118.0,26.0"' in line([3.0, 2.0, 1.0], "")


def test_values_far_apart_are_drawn_by_their_logarithms() -> None:
    assert 'points="2.0,2.0 60.0,14.0 118.0,26.0"' in line([1e4, 1e2, 1.0], "")


def test_what_is_not_finite_is_left_out_and_one_value_is_no_curve() -> None:
    assert line(np.array([np.nan, 1.0, np.inf, 1.0]), "").count(",") == 2
    assert line([1.0], "") == line([], "") == ""


def test_bars_are_as_high_as_their_counts() -> None:
    drawn = bars([0, 2, 4], [0, 2, 0], "finished")
    assert re.findall(r'class="(\w+)" x="[\d.]+" y="[\d.]+" width="[\d.]+" height="([\d.]+)"', drawn) == [
        ("good", "21.0"), ("bad", "21.0"), ("good", "42.0"),
    ]  # fmt: skip
    assert 'aria-label="finished"' in drawn
