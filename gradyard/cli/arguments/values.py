"""The value of a parameter as it is typed on the command line: JSON, a number as people write one, or text."""

import json
from typing import Any

from gradyard.cli.errors import BadUsage
from gradyard.jobs.errors import SpecInvalid
from gradyard.jobs.validation.json_text import plain_json
from gradyard.jobs.validation.typed_values import number_from

_TEXTS = {"name", "pool"}
_TAGS = {"optimizer": "name", "loss": "name", "dataset": "kind"}
"""The parts of a spec that one of their fields tells apart."""


def value_of(path: str, text: str) -> Any:
    """The value of the parameter at that path in a spec.

    `optimizer=adam` is the optimizer of that name. A name, a pool or a tag is text, also where it looks like a number.
    Raises BadUsage for JSON that has a name of an object twice.
    """
    value = _json_or_text(path, text)
    if is_text(path):
        return value if isinstance(value, str) or (value is None and path in _TEXTS) else text
    return {_TAGS[path]: value} if path in _TAGS and isinstance(value, str) else value


def is_text(path: str) -> bool:
    """Whether the parameter at that path is text, also where it looks like a number."""
    return path in _TEXTS or path.startswith("tags.")


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
