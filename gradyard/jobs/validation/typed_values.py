"""Numbers, ranges and lists as people type them: `.5e-6`, `0:5`, `1e-6,1e-5`."""

import re
from typing import Any

NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
"""Also what JSON has no form for: `.5e-6`, `+1`, `1.`."""

RANGE = f"{NUMBER}(?::{NUMBER}){{1,2}}"
"""`FIRST:END` or `FIRST:END:STEP`."""

NUMBERS = f"(?:{NUMBER},)+{NUMBER}"

_SEVERAL = r"[\w.+-]+(?:,[\w.+-]+)+"
_MOST_CHARACTERS = 200  # that are looked at


def number_from(text: str) -> int | float:
    """The number. Raises ValueError where the text is none, or one too large for floating point."""
    if not re.fullmatch(NUMBER, text):
        raise ValueError(text)
    number = int(text) if re.fullmatch(r"[+-]?[0-9]+", text) else float(text)
    if abs(number) == float("inf"):
        raise ValueError(text)
    return number


def several_from(text: str) -> dict[str, Any] | list[Any] | None:
    """The range in `0:5` or `0:1:.1`, the values in `1e-6,1e-5` or `cpu,gpu`; None where the text has one value."""
    if len(text) > _MOST_CHARACTERS:
        return None
    try:
        if re.fullmatch(RANGE, text):
            return dict(zip(("start", "stop", "step"), map(number_from, text.split(":")), strict=False))
    except ValueError:  # too large
        return None
    return [_value_from(each) for each in text.split(",")] if re.fullmatch(_SEVERAL, text) else None


def draws_from(text: str) -> dict[str, Any] | None:
    """The draws in `LOW:HIGH` or `LOW:HIGH:log`, in the form of a sweep; None where the text has another form."""
    low, _, rest = text.partition(":")
    high, _, scale = rest.partition(":")
    try:
        return {"low": number_from(low), "high": number_from(high), **({"scale": scale} if scale else {})}
    except ValueError:
        return None


def _value_from(text: str) -> Any:
    try:
        return number_from(text)
    except ValueError:
        return text
