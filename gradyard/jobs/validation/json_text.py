"""JSON as people write it: with or without a byte order mark, and each name of an object once."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

import orjson

from gradyard.jobs.errors import FieldProblem, SpecInvalid
from gradyard.jobs.validation.pointers import Loc, pointer_of

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MOST_SHOWN = 100


class _Repeating(dict[str, Any]):
    """An object in which these names came more than once."""

    times: dict[str, int]


def plain_json(body: bytes) -> bytes:
    """The JSON without a byte order mark. Raises SpecInvalid, with a pointer to each name that an object has twice.

    A parser keeps the last of two equal names and says nothing. What is no JSON is passed on, for its reader to refuse.
    """
    body = body.removeprefix(BYTE_ORDER_MARK)
    if _may_repeat(body) and (problems := list(islice(_repetitions(body), MOST_SHOWN))):
        raise SpecInvalid(problems)
    return body


def _may_repeat(body: bytes) -> bool:
    """Whether a name may have been lost in reading. To read and write again costs 4 µs a job, to look closely 15."""
    written = body.count(b":")
    if written < 2:
        return False
    if b"\\u003" in body:  # an escaped colon, which is none in this text but one in the text that is written
        return True
    try:
        return orjson.dumps(orjson.loads(body)).count(b":") != written
    except (ValueError, TypeError):  # such as NaN, thousands of digits, or nesting that orjson reads but does not write
        return True


def _repetitions(body: bytes) -> Iterator[FieldProblem]:
    try:
        # The numbers do not matter here, and some are too long for Python to read.
        whole = json.loads(body.decode(), object_pairs_hook=_object, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return
    left: list[tuple[Loc, Any]] = [((), whole)]
    while left:
        parts, value = left.pop()
        if isinstance(value, _Repeating):
            for name, times in value.times.items():
                often = "twice" if times == 2 else f"{times:,} times"
                yield FieldProblem(pointer_of((*parts, name)), f"is given {often} in this object; give it once")
        if isinstance(value, dict | list):
            inner = value.items() if isinstance(value, dict) else enumerate(value)
            left += [((*parts, name), each) for name, each in inner if isinstance(each, dict | list)]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    repeating = _Repeating(found)
    repeating.times = {name: times for name, times in Counter(name for name, _ in pairs).items() if times > 1}
    return repeating
