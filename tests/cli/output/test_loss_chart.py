"""Text charts of losses show the first point, the last point and every spike."""

import numpy as np
import pytest

from gradyard.cli.output.loss_chart import curve, curves


def dots(lines: list[str]) -> int:
    """The number of dots in these lines."""
    return sum(
        bin(ord(letter) - 0x2800).count("1") for line in lines for letter in line if 0x2800 <= ord(letter) <= 0x28FF
    )


@pytest.mark.parametrize("length", [1, 2, 3, 59, 60, 61, 1000, 100_000])
@pytest.mark.parametrize("width", [30, 80])
def test_a_drawing_has_the_size_asked_for(length: int, width: int) -> None:
    lines = curve(np.geomspace(1e5, 8.0, length), width=width, height=10)
    assert len(lines) == 10
    assert all(len(line) <= width for line in lines)
    assert dots(lines) >= width - 12


def test_the_axes_say_the_range() -> None:
    lines = curve(np.linspace(20.0, 5.0, 2000), width=60, height=8)
    assert lines[0].lstrip().startswith("20 ┤")
    assert lines[-3].lstrip().startswith("5 ┤")
    assert lines[-1].split() == ["0", "step", "1,999"]


def test_a_falling_curve_falls() -> None:
    rows = [row.partition("┤")[2] or row.partition("│")[2] for row in curve(np.linspace(9, 1, 500), height=10)[:-2]]
    assert rows[0][0] != "\u2800"
    assert rows[0][-1] == "\u2800"
    assert rows[-1][-1] != "\u2800"


@pytest.mark.parametrize("height", [8, 12, 16])
def test_a_curve_over_more_than_a_decade_is_logarithmic_and_its_own_axis_says_so(height: int) -> None:
    lines = curve(np.geomspace(11.0, 1.0, 100), height=height)
    assert [line.partition("│")[0].strip() for line in lines if "log scale" in line] == ["log scale"]
    assert lines[-1].split() == ["0", "step", "99"]


@pytest.mark.parametrize(
    "losses", [np.linspace(9.0, 1.0, 100), np.append(np.geomspace(1e6, 1, 99), 0.0), np.linspace(-5.0, 900.0, 100)]
)
def test_a_curve_of_a_decade_or_with_a_value_that_is_not_positive_is_linear(losses: np.ndarray) -> None:
    assert not any("log" in line for line in curve(losses))


def test_a_logarithmic_curve_is_straight_where_losses_fall_by_a_constant_factor() -> None:
    rows = curve(np.geomspace(1e6, 1, 1000), width=60, height=12)[:-2]
    columns = [min(place for place, letter in enumerate(row[11:]) if letter != "\u2800") for row in rows]
    assert np.ptp(np.diff(columns)) <= 2


def test_one_spike_among_a_million_is_seen() -> None:
    losses = np.ones(1_000_000)
    losses[123_456] = 50.0
    assert curve(losses)[0].lstrip().startswith("50 ┤")
    assert dots(curve(losses)[:1]) > 0


def test_what_is_not_finite_is_left_out() -> None:
    lines = curve(np.array([3.0, 2.0, np.nan, np.inf, 1.0]))
    assert lines[0].lstrip().startswith("3 ┤")
    assert curve(np.array([np.nan])) == ["no finite value"]
    assert curve(np.array([])) == ["no values"]


def test_a_flat_curve_is_a_line() -> None:
    assert dots(curve(np.full(500, 7.0), width=60)) == 2 * 49


def test_few_points_far_apart_are_joined() -> None:
    lines = curve(np.array([9.0, 1.0]), steps=np.array([0, 5000]), width=60, height=10)
    assert dots(lines) >= 2 * 49
    assert "5,000" in lines[-1]


def plotted(lines: list[str]) -> list[str]:
    """The rows of a drawing of letters, without its axes."""
    return [line.partition("┤")[2] or line.partition("│")[2] for line in lines[:-2]]


def test_several_curves_share_their_axes_and_keep_their_letters() -> None:
    steps = np.arange(1000)
    lines = curves(
        {"A": (steps, np.linspace(9, 1, 1000)), "B": (steps[:500], np.linspace(9, 5, 500))}, width=62, height=12
    )
    assert (len(lines), max(map(len, lines))) == (12, 62)
    assert lines[-1].split() == ["0", "step", "999"]
    rows = plotted(lines)
    assert rows[0].rstrip() == "*" * len(rows[0].rstrip())  # they begin as one
    assert "B" not in "".join(row[26:] for row in rows)  # it ends in the middle
    assert rows[-1].strip().strip("A") == ""


def test_curves_apart_do_not_meet_and_what_is_not_finite_is_left_out() -> None:
    steps = np.arange(4)
    lines = curves({
        "A": (steps, np.array([8.0, 8, 8, np.nan])), "B": (steps, np.full(4, 2.0)), "C": (steps[:0], steps[:0] * 1.0),
    })  # fmt: skip
    letters = set("".join(plotted(lines)))
    assert letters == {"A", "B", " "}
    assert curves({"A": (steps, np.full(4, np.inf))}) == ["no values"]


def test_one_point_beside_a_long_curve_is_drawn_where_it_is() -> None:
    lines = curves({"A": (np.arange(1000), np.full(1000, 1.0)), "B": (np.array([999]), np.array([3.0]))}, width=60)
    assert plotted(lines)[0].rstrip().endswith("B")
