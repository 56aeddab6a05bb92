"""What of a text could control a terminal is shown, and nothing else changes."""

import json
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradyard.jobs.visible_text import one_line, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b]0;title\x07", r"\u001b[2J\u001b]0;title\u0007"),
        ("\x9b31m", r"\u009b31m"),  # C1: an escape and a bracket in one
        ("\x7f\x08", r"\u007f\u0008"),
        ("user\u202egnp.exe", r"user\u202egnp.exe"),
        ("\u2066a\u2069\u200b\ufeff", r"\u2066a\u2069\u200b\ufeff"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\udb40\udc41"),  # a tag, which has no ink
        ("Zürich, 東京, ‘α’ – 50 % × 2 🎲", "Zürich, 東京, ‘α’ – 50 % × 2 🎲"),
        ("שלום مرحبا", "שלום مرحبا"),  # scripts from right to left are letters
    ],
)
def test_what_has_no_ink_is_shown_by_its_number(text: str, shown: str) -> None:
    assert one_line(text) == visible(text) == shown


def test_lines_and_tabs_stay_in_text_of_several_lines() -> None:
    text = "a\tb\r\nc\rd\n"
    assert visible(text) == "a\tb\nc\nd\n"
    assert one_line(text) == r"a\u0009b\u000d\u000ac\u000dd\u000a"


@given(st.text(st.characters()))
def test_no_text_leaves_a_character_without_ink_and_json_means_the_same(text: str) -> None:
    assert one_line(text).isprintable()
    assert visible(text).replace("\n", "").replace("\t", "").isprintable()
    assert json.loads(visible(json.dumps(text, ensure_ascii=False))) == text
    assert one_line(one_line(text)) == one_line(text)


def test_every_character_is_judged() -> None:
    every = [chr(number) for number in range(sys.maxunicode + 1)]
    with_ink = "".join(letter for letter in every if letter.isprintable())
    assert one_line(with_ink) == with_ink
    without = [letter for letter in every if not letter.isprintable()]
    unassigned = [letter for letter in without if unicodedata.category(letter) in ("Cn", "Co")]  # nine of ten
    without = sorted({*without} - {*unassigned} | {*unassigned[::101]})
    assert not set(one_line("".join(without))) & set(without)
