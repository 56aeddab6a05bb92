"""The numbers of a table that is text: which fields are numbers, and which are missing."""

from collections.abc import Sequence
from math import isfinite, nan

import numpy as np
from numpy.typing import NDArray

MISSING = frozenset({"", "na", "nan", "null"})


def as_numbers(fields: Sequence[str]) -> NDArray[np.float64] | None:
    """The fields as numbers, NaN for the missing ones; None where one is neither."""
    try:
        if "_" not in "".join(fields):  # Python reads 1_000, which is text in a table
            return np.fromiter(map(float, fields), np.float64, len(fields))
    except ValueError:  # some may be missing
        pass
    try:
        return np.fromiter(map(_number, fields), np.float64, len(fields))
    except ValueError:
        return None


def is_missing(field: str) -> bool:
    """Whether the field says that there is no value: it is empty, `NA`, `NaN` or `null`, in letters of any case."""
    return field.strip().lower() in MISSING


def is_number(field: str) -> bool:
    """Whether the field is a finite number, written with a decimal point or a decimal comma."""
    try:
        return isfinite(_number(field.replace(",", ".")))
    except ValueError:
        return False


def first_text(fields: Sequence[str]) -> int | None:
    """Which of the fields is the first that is neither a number nor missing."""
    return next((place for place, field in enumerate(fields) if as_numbers([field]) is None), None)


def _number(field: str) -> float:
    if is_missing(field):
        return nan
    if "_" in field:
        raise ValueError
    return float(field)
