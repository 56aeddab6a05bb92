"""Numbers and times as people read them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.dashboard.words import ago, number, short, span


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "–"), (0, "0"), (1234567, "1,234,567"), (2.0, "2"), (0.1 + 0.2, "0.3"), (1e-6, "1e-6"),
        (1234.5678, "1,234.57"), (1.5e12, "1.5e12"), (float("nan"), "–"), ("nn", "nn"), (123456.7, "123,457"),
    ],
)  # fmt: skip
def test_numbers_have_six_digits(value: Any, said: str) -> None:
    assert number(value) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "–"), (0, "0 ms"), (0.0123, "12.3 ms"), (3.44, "3.4 s"), (59.7, "1 min"), (125, "2 min 5 s"),
        (7500, "2 h 5 min"), (86_400, "1 d"), (400 * 86_400.0, "1 y 35 d"),
    ],
)  # fmt: skip
def test_spans_have_two_units(seconds: float | None, said: str) -> None:
    assert span(seconds) == said


def test_a_time_says_how_long_ago_and_has_the_exact_one_in_its_title() -> None:
    moment = datetime.now(UTC) - timedelta(hours=3, minutes=5)
    assert ">3 h ago<" in ago(moment)
    assert f'title="{moment:%Y-%m-%d %H:%M:%S UTC}"' in ago(moment)
    assert ago(None) == "–"


def test_a_long_text_is_cut_with_the_whole_in_its_title() -> None:
    assert short("<b>", 10) == "&lt;b&gt;"
    assert short("a" * 12, 10) == f'<span title="{"a" * 12}">{"a" * 9}…</span>'
