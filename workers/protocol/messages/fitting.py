"""Whether a value that came as JSON is of the type that a field of a message has."""

import re
from collections.abc import Callable
from functools import cache
from math import isfinite
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

MOST_INTEGER = 2**63 - 1
MOST_CHARACTERS = 2**17
"""Of a text. The longest is a traceback, of half as many."""

_UNPAIRED = re.compile("[\ud800-\udfff]")

Check = Callable[[Any], bool]


def fits(value: Any, kind: Any) -> bool:
    """Whether the value is of that type: str, bool, int, float, None, Any, a named tuple, or a list or dict of these.

    An integer has 64 bits at most, a float is finite, a text is of bounded length and has no unpaired surrogate.
    """
    return _check_of(kind)(value)


def _make_check(kind: Any) -> Check:
    origin, inner = get_origin(kind), get_args(kind)
    if kind == dict[str, Any]:
        return lambda value: type(value) is dict
    checks = [_check_of(each) for each in inner]
    if origin is UnionType:
        return lambda value: any(check(value) for check in checks)
    if origin is list:
        return lambda value: type(value) is list and all(map(checks[0], value))
    if origin is dict:
        return lambda value: type(value) is dict and all(map(_is_text, value)) and all(map(checks[1], value.values()))
    if isinstance(kind, type) and issubclass(kind, tuple):
        return _check_of_tuple([_check_of(each) for each in kind.__annotations__.values()])
    return _FITS[kind]


_check_of: Callable[[Any], Check] = cache(_make_check)  # made once for each type: a pack has thousands of results


def _check_of_tuple(checks: list[Check]) -> Check:
    def check(value: Any) -> bool:
        return (
            type(value) is list and len(value) == len(checks) and all(c(v) for c, v in zip(checks, value, strict=True))
        )

    return check


def _is_text(value: Any) -> bool:
    return type(value) is str and len(value) <= MOST_CHARACTERS and _UNPAIRED.search(value) is None


def _is_integer(value: Any) -> bool:
    return type(value) is int and abs(value) <= MOST_INTEGER


_FITS: dict[Any, Check] = {
    str: _is_text, int: _is_integer, bool: lambda value: type(value) is bool, NoneType: lambda value: value is None,
    float: lambda value: _is_integer(value) or (isinstance(value, float) and isfinite(value)), Any: lambda value: True,
}  # fmt: skip
