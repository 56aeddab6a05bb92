"""Where two curves differ first, against a plain look at every number."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gradyard.jobs.curves import Curve
from gradyard.jobs.evidence.bit_differences import Difference, first_difference, first_different_value

CURVES = st.lists(st.sampled_from([0.0, -0.0, 1.0, 1.0000001, float("nan")]), max_size=12)
CUTS = st.lists(st.integers(0, 48), max_size=4)


def blocks(raw: bytes, cuts: list[int]) -> list[bytes]:
    """The bytes, cut at these places; some blocks may be empty."""
    places = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    return [raw[begin:end] for begin, end in pairwise(places)]


def plainly(one: np.ndarray, other: np.ndarray) -> Difference | None:
    for place, (left, right) in enumerate(zip(one, other, strict=False)):
        if left.tobytes() != right.tobytes():
            return Difference(place, missing=False)
    return None if len(one) == len(other) else Difference(min(len(one), len(other)), missing=True)


@given(one=CURVES, other=CURVES, same=st.booleans(), cuts=CUTS, other_cuts=CUTS)
def test_the_first_difference_is_found_however_both_are_cut(
    one: list[float], other: list[float], same: bool, cuts: list[int], other_cuts: list[int]
) -> None:
    left, right = np.array(one, "<f4"), np.array(one if same else other, "<f4")
    found = first_difference(blocks(left.tobytes(), cuts), blocks(right.tobytes(), other_cuts), 4)
    assert found == plainly(left, right)


def test_a_bit_in_a_long_curve_is_found_beyond_what_is_compared_at_once() -> None:
    long = np.zeros(2_000_000, "<f8")
    other = long.copy()
    other[1_999_990] = -0.0
    short_blocks = blocks(other.tobytes(), list(range(0, other.nbytes, 1_000_003)))
    assert first_difference([long.tobytes()], short_blocks, 8) == Difference(1_999_990, missing=False)


@given(one=CURVES, other=CURVES)
def test_values_of_a_metric_differ_by_their_bits(one: list[float], other: list[float]) -> None:
    left, right = np.array(one, "<f8"), np.array(other, "<f8")
    found = first_different_value(*(Curve(range(0, 5 * len(each), 5), each) for each in (left, right)))
    expected = plainly(left, right)
    assert found == (expected and Difference(5 * expected.at, expected.missing))


def test_values_measured_at_other_steps_differ_from_the_first_such_step_on() -> None:
    values = np.zeros(3)
    curves = (Curve(np.array([0, 5, 10]), values), Curve(np.array([0, 5, 9]), values))
    assert first_different_value(*curves) == Difference(10, missing=False)
