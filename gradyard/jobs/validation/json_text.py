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
MOST_OF_ONE = 20_000  # fields, and lists and objects, of one body; no job, key or other request has so many


class _Repeating(dict[str, Any]):
    """An object in which names came more than once: which, and how often. None: that was not counted."""

    __slots__ = ("times",)  # a body may have a million of them
    times: dict[str, int] | None


def plain_json(body: bytes, *, of_many: bool = False) -> bytes:
    """The JSON without a byte order mark. Raises SpecInvalid, with a pointer to each name that an object has twice.

    It is refused as well where it has far more fields, lists and objects than any one job or key needs, unless it is a
    batch (`of_many`), whose reader looks at that.

    A parser keeps the last of two equal names and says nothing. What is no JSON is passed on, for its reader to refuse.
    """
    body = body.removeprefix(BYTE_ORDER_MARK)
    if not of_many:
        check_one(body)
    if _may_repeat(body) and (problems := list(islice(_repetitions(body), MOST_SHOWN))):
        raise SpecInvalid(problems)
    return body


def check_one(body: bytes) -> None:
    """Refuse a body of one thing that takes far longer to read, or to find fault with, than any such thing needs."""
    if len(body) <= MOST_OF_ONE:
        return
    if body.count(b":") > MOST_OF_ONE:
        raise SpecInvalid([FieldProblem("", f"has far too many fields; at most {MOST_OF_ONE:,}")])
    if body.count(b"[") + body.count(b"{") > MOST_OF_ONE:
        raise SpecInvalid([FieldProblem("", f"has far too many lists and objects; at most {MOST_OF_ONE:,}")])


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
        whole = json.loads(body.decode(), object_pairs_hook=_Objects().made_of, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return
    for place, found in _repeating_in(whole):
        if found.times is None:
            yield FieldProblem(pointer_of(place), "has a name more than once; give each name once")
        for name, times in (found.times or {}).items():
            often = "twice" if times == 2 else f"{times:,} times"
            yield FieldProblem(pointer_of((*place, name)), f"is given {often} in this object; give it once")


class _Objects:
    """Makes the objects of a body, and counts the names of the first that repeat some."""

    def __init__(self) -> None:
        self._counted = 0

    def made_of(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """The object with these names and values."""
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        repeating, self._counted = _Repeating(found), self._counted + 1
        repeating.times = None
        if self._counted <= MOST_SHOWN:
            repeating.times = {name: times for name, times in Counter(name for name, _ in pairs).items() if times > 1}
        return repeating


def _repeating_in(whole: Any) -> Iterator[tuple[Loc, _Repeating]]:
    """The objects that repeat names, in the order of the text, each with the names and positions that lead to it."""
    place: list[int | str] = []
    left: list[Iterator[tuple[int | str, Any]]] = [iter([("", whole)])]  # what comes next on each level that we are in
    while left:
        name, value = next(left[-1], ("", None))
        if value is None:  # the level is at its end; names and texts are never None
            left.pop()
            del place[-1:]
            continue
        if len(left) > 1:
            place.append(name)
        if isinstance(value, _Repeating):
            yield tuple(place), value
        left.append(_parts_of(value))


def _parts_of(value: Any) -> Iterator[tuple[int | str, Any]]:
    """The objects and lists in an object or list, each with its name or position."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    return ((name, each) for name, each in inner if isinstance(each, dict | list))
