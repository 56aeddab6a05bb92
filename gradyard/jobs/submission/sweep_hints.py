"""What to write where a spec has a range or several values for one parameter: those are for a sweep."""

import json
from typing import Any

from gradyard.jobs.validation.pointers import Place
from gradyard.jobs.validation.typed_values import several_from

MOST_CHARACTERS = 80  # of the values that a message shows
_SHAPES = {
    "a range is": ("grid", {"start", "stop", "step"}, {"stop"}),
    "random draws are": ("random", {"low", "high", "scale"}, {"low", "high"}),
}
"""What a sweep has for a parameter: in which of its fields, with which names, and which of these it needs."""


def sweep_hint(place: Place, value: Any) -> str:
    """`; a range is for a sweep: "grid": {"seed": {"start": 0, "stop": 5}}`; empty where one value was meant."""
    meant = several_from(value.replace(" ", "")) if isinstance(value, str) else value
    found = _found(meant)
    if found is None or not all(isinstance(part, str) for part in place.parts):
        return ""
    what, field = found
    varied = json.dumps({".".join(map(str, place.parts)): meant}, default=str)
    return f'; {what} for a sweep: "{field}": {varied if len(varied) <= MOST_CHARACTERS else "{…}"}'


def _found(meant: Any) -> tuple[str, str] | None:
    """What the values are, and the field of a sweep that they are for."""
    if isinstance(meant, list):
        return ("several values are", "grid") if meant and not any(isinstance(each, dict) for each in meant) else None
    if not isinstance(meant, dict):
        return None
    return next(
        ((what, field) for what, (field, names, needed) in _SHAPES.items() if needed <= meant.keys() <= names), None
    )
