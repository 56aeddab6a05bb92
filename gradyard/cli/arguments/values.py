"""The value of a parameter as it is typed on the command line: JSON, a number as people write one, or text."""

import json
import re
from typing import Any

from gradyard.cli.errors import BadUsage
from gradyard.jobs.errors import SpecInvalid
from gradyard.jobs.validation.json_text import plain_json

NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
"""Also what JSON has no form for: `.5e-6`, `+1`, `1.`."""

_TEXTS = {"name", "pool"}
_TAGS = {"optimizer": "name", "loss": "name", "dataset": "kind"}
"""The parts of a spec that one of their fields tells apart."""


def value_of(path: str, text: str) -> Any:
    """The value of the parameter at that path in a spec.

    `optimizer=adam` is the optimizer of that name. A name, a pool or a tag is text, also where it looks like a number.
    Raises BadUsage for JSON that has a name of an object twice.
    """
    value = _json_or_text(path, text)
    if path in _TEXTS or path.startswith("tags."):
        return value if isinstance(value, str) or (value is None and path in _TEXTS) else text
    return {_TAGS[path]: value} if path in _TAGS and isinstance(value, str) else value


def number_from(text: str) -> int | float:
    """The number. Raises ValueError where the text is none, or one too large for floating point."""
    if not re.fullmatch(NUMBER, text):
        raise ValueError(text)
    number = int(text) if re.fullmatch(r"[+-]?[0-9]+", text) else float(text)
    if abs(number) == float("inf"):
        raise ValueError(text)
    return number


def read_json(text: str, source: str) -> Any:
    """The JSON value, with or without a byte order mark. ValueError for other text, BadUsage for a name given twice."""
    try:
        return json.loads(plain_json(text.encode(errors="surrogateescape")))
    except SpecInvalid as error:
        raise BadUsage(f"{source}: {error}") from None


def _json_or_text(path: str, text: str) -> Any:
    try:
        return read_json(text, path)
    except ValueError:
        pass
    try:
        return number_from(text)
    except ValueError:
        return text
