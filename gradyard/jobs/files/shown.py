"""How values of a file are shown to people: in messages, and as the first rows."""

from decimal import Decimal
from math import isfinite
from typing import Any

import numpy as np

from gradyard.jobs.visible_text import one_line

SHOWN_CHARACTERS = 60


def quoted(text: str) -> str:
    """A text of the file in quotes, for a message: one line of visible characters, 60 at most."""
    return f'"{_short(text)}"'


def shown(value: object) -> Any:
    """A value of a first row as a value of JSON: a number, a text of at most 60 characters, or None for missing."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float | Decimal | np.floating):
        number = float(value)
        return number if isfinite(number) else None
    if isinstance(value, bytes):
        value = value.decode("ascii", "backslashreplace")
    return _short(str(value))


def _short(text: str) -> str:
    """At most 60 visible characters; the last one is `…` where some are left out."""
    line = one_line(text[: SHOWN_CHARACTERS + 1])
    return line if len(line) <= SHOWN_CHARACTERS else line[: SHOWN_CHARACTERS - 1] + "…"
