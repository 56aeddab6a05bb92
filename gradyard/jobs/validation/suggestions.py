"""The known name that was probably meant by an unknown one."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache

OTHER_WORDS = {
    "lr": "learning_rate", "epoch": "steps", "epochs": "steps", "iters": "steps", "iterations": "steps",
    "data": "dataset", "std": "standard",
    "end": "stop", "from": "start", "to": "stop", "min": "low", "max": "high",
}  # fmt: skip
"""What other programs call a parameter or its value."""

NEAR, VERY_NEAR = 0.6, 0.75  # of difflib; elsewhere are many names, and few of them are meant


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is nearest to `name`; None where none is near."""
    return _nearest(name[:100], tuple(known))


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """`; did you mean "learning_rate"?`, to stand at the end of a message; empty where no known name is near."""
    found = nearest(name, known) if isinstance(name, str) else None
    return f'; did you mean "{found}"?' if found else ""


def did_you_mean_field(name: str, here: tuple[str, ...], elsewhere: Mapping[str, str]) -> str:
    """`; did you mean "dataset.points"?`, of the fields here, and of those elsewhere with where each of them is.

    A name that is known elsewhere goes before one that is only similar. Empty where no known name is near.
    """
    name, there = name[:100], tuple(elsewhere)
    if (known := _exactly(name, here)) is None and (found := _exactly(name, there)) is not None:
        return f"; did you mean {elsewhere[found]}?"
    if known or (known := _nearest(name, here)):
        return f'; did you mean "{known}"?'
    found = _nearest(name, there, VERY_NEAR)
    return f"; did you mean {elsewhere[found]}?" if found else ""


def _exactly(name: str, known: tuple[str, ...]) -> str | None:
    """The known name that others write so."""
    simple = _simple(name)
    return next((each for each in (OTHER_WORDS.get(simple), simple) if each in known), None)


@lru_cache(maxsize=1024)  # the members of a batch are mostly wrong in the same way
def _nearest(name: str, known: tuple[str, ...], cutoff: float = NEAR) -> str | None:
    if found := _exactly(name, known):
        return found
    return next(iter(get_close_matches(_simple(name), known, n=1, cutoff=cutoff)), None)


def _simple(name: str) -> str:
    return name.strip().lower().replace("-", "_")
