"""What pydantic found wrong, in sentences: what is meant, what came instead, and the nearest name that is known."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from gradyard.jobs.errors import FieldProblem
from gradyard.jobs.validation.pointers import Place, Pointers, Union
from gradyard.jobs.validation.suggestions import did_you_mean, did_you_mean_field, nearest

MOST_PROBLEMS = 100
MOST_DETAILS = 1000  # that are looked at: a body of a megabyte may have twenty thousand, at 40 µs each
NO_SUCH_FIELD = "there is no such field"
MOST_CHARACTERS = 40  # of a value that a message repeats

_MUST_BE = {
    "int_type": "a whole number", "float_type": "a number", "finite_number": "a finite number", "string_type": "text",
    "bool_type": "true or false", "list_type": "a list", "tuple_type": "a list", "none_required": "null",
    "dict_type": "an object", "model_type": "an object", "model_attributes_type": "an object",
    "int_parsing": "a whole number", "float_parsing": "a number", "uuid_parsing": "a UUID",
    "greater_than": "greater than {gt}", "greater_than_equal": "at least {ge}", "less_than": "less than {lt}",
    "less_than_equal": "at most {le}", "literal_error": "{expected}", "enum": "{expected}",
}  # fmt: skip
_ONE_VALUE = {"int_type", "float_type", "bool_type", "literal_error", "enum"}
_TOO_FEW, _TOO_MANY = {"string_too_short", "too_short"}, {"string_too_long", "too_long"}


Hint = Callable[[Place, Any], str]
"""What a request may have meant by a value at a place, for the end of a message; empty where nothing is known."""


def no_hint(place: Place, value: Any) -> str:
    """The hint of requests that know nothing else."""
    return ""


def problems_of(details: Iterable[Any], pointers: Pointers, hint: Hint = no_hint) -> list[FieldProblem]:
    """What is wrong, each by its JSON pointer, a hundred at most. `details`: pydantic's, with context and input."""
    found: dict[str, list[tuple[Place, Any]]] = {}
    for detail in islice(details, MOST_DETAILS):
        place = pointers.place_of(detail["loc"], detail["type"])
        found.setdefault(place.pointer, []).append((place, detail))
    around = {pointer[:place] for pointer in found for place, letter in enumerate(pointer) if letter == "/"}
    own = (pointer for pointer in sorted(found) if pointer not in around or not _of_other_branches(found[pointer]))
    pairs = ((pointer, text) for pointer in own for text in dict.fromkeys(_sentences(found[pointer], hint)))
    return [FieldProblem(*pair) for pair, _ in zip(pairs, range(MOST_PROBLEMS), strict=False)]


def _of_other_branches(errors: list[tuple[Place, Any]]) -> bool:
    """Whether all that is wrong at a place is said of the branches of a union that an object was not meant for.

    Of `"init": {"a": "x"}` the fault is in `/init/a`, and not that an object is no text.
    """
    return all(isinstance(detail["input"], dict) and detail["type"] in _MUST_BE for _, detail in errors)


def figure(number: int) -> str:
    """A number for people to read."""
    # A request may hold a number of thousands of digits; Python refuses to format such a product.
    return f"{number:,}" if number < 10**24 else "over 10^24"


def value_text(value: Any) -> str:
    """A value of a request as a message repeats it: short, and on one line."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if -(10**24) < value < 10**24 else "a number " + figure(abs(value))
    if isinstance(value, str) and len(value) > MOST_CHARACTERS:
        value = value[:MOST_CHARACTERS] + "…"
    return json.dumps(value, ensure_ascii=False, default=str)


def _sentences(errors: list[tuple[Place, Any]], hint: Hint) -> Iterator[str]:
    """The errors of one place. The branches of a union are one sentence: `must be a number or "auto", not "fast"`."""
    meant = [(place, detail, text) for place, detail in errors if (text := _filled(_MUST_BE, detail))]
    if meant:
        value = meant[0][1]["input"]
        what = " or ".join(dict.fromkeys(text for *_, text in meant))
        asked = [hint(place, value) for place, detail, _ in meant if detail["type"] in _ONE_VALUE]
        hints = (*asked, *(_hint(place, detail) for place, detail, _ in meant))
        yield f"must be {what}, not {value_text(value)}{next(filter(None, hints), '')}"
    yield from (_sentence(place, detail, hint) for place, detail in errors if detail["type"] not in _MUST_BE)


def _sentence(place: Place, detail: Any, hint: Hint) -> str:
    if detail["type"] == "extra_forbidden":
        return _unknown_field(place)
    if detail["type"] == "missing":
        return "is missing"
    if place.union and detail["type"].startswith("union_tag"):
        return _wrong_tag(place, place.union, detail["input"], hint)
    if detail["type"] in _TOO_FEW | _TOO_MANY:
        return _wrong_length(detail)
    return str(detail["msg"]).removeprefix("Value error, ")


def _wrong_length(detail: Any) -> str:
    of = "characters" if isinstance(detail["input"], str) else "entries"
    if detail["type"] in _TOO_MANY:
        return f"must have at most {detail['ctx']['max_length']:,} {of}, not {figure(len(detail['input']))}"
    fewest = detail["ctx"]["min_length"]
    return f"must have at least {fewest:,} {of}" if fewest > 1 else "must not be empty"


def _filled(forms: Mapping[str, str], detail: Any) -> str:
    return forms.get(detail["type"], "").format_map(
        {name: _limit(each) for name, each in detail.get("ctx", {}).items()}
    )


def _limit(value: Any) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:g}" if isinstance(value, float) else str(value).replace("'", '"')


def _unknown_field(place: Place) -> str:
    *outer, name = place.parts
    here, elsewhere = "here", ""
    if place.union and place.union.field and place.tag:
        part = outer[-1] if outer and isinstance(outer[-1], str) else place.union.field
        here = f'for {part} "{place.tag}"'
        elsewhere = ", ".join(tag for tag, fields in place.union.members.items() if name in fields)
    if elsewhere:
        return f"{NO_SUCH_FIELD} {here}, only for {elsewhere}"
    names = f"; the {'fields are' if len(place.fields) > 1 else 'only field is'} {', '.join(place.fields)}"
    hint = did_you_mean_field(str(name), place.fields, place.elsewhere) or (names if place.fields else "")
    return f"{NO_SUCH_FIELD} {here}{hint}"


def _wrong_tag(place: Place, union: Union, value: Any, hint: Hint) -> str:
    field, tags = str(union.field), tuple(union.members)
    meant = f"must be one of {', '.join(tags)}"
    if not isinstance(value, dict) or field not in value:
        written = nearest(field, map(str, value)) if isinstance(value, dict) else None
        return f"is missing{f', or is it {value_text(written)}' if written else ''}; it {meant}"
    cure = hint(place, value[field]) or did_you_mean(value[field], tags)
    return f"{meant}, not {value_text(value[field])}{cure}"


def _hint(place: Place, detail: Any) -> str:
    """What else to write: a known name, or an object where its name alone came."""
    value, union = detail["input"], place.union
    if detail["type"] in ("literal_error", "enum"):
        return did_you_mean(value, re.findall("'([^']*)'", detail["ctx"]["expected"]))
    if _MUST_BE[detail["type"]] != "an object" or union is None or not isinstance(value, str):
        return ""
    name = nearest(value, union.members) or next(iter(union.members))
    return f'; write {{"{union.field}": "{name}"}}' if union.field else ""
