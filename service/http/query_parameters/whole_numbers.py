"""Whole numbers in a query, in each form that JSON has for them: 10, 1e1, 10.0."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator

_WITH_EXPONENT = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?[eE][+-]?[0-9]{1,3}")


def _as_digits(given: Any) -> Any:
    """The digits of a whole number that is written with an exponent; all else as it came, for pydantic to judge."""
    if isinstance(given, str) and _WITH_EXPONENT.fullmatch(given):
        number = float(given)
        if number.is_integer():
            return int(number)
    return given


Whole = Annotated[int, BeforeValidator(_as_digits)]
"""The type of every parameter that is a whole number."""
