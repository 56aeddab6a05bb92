"""The known name that was probably meant by an unknown one."""

from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache

OTHER_WORDS = {
    "lr": "learning_rate", "epochs": "steps", "iterations": "steps", "data": "dataset", "std": "standard",
}  # fmt: skip
"""What other programs call a parameter or its value."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is nearest to `name`; None where none is near."""
    return _nearest(name[:100], tuple(known))


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """`; did you mean "learning_rate"?`, to stand at the end of a message; empty where no known name is near."""
    found = nearest(name, known) if isinstance(name, str) else None
    return f'; did you mean "{found}"?' if found else ""


@lru_cache(maxsize=1024)  # the members of a batch are mostly wrong in the same way
def _nearest(name: str, known: tuple[str, ...]) -> str | None:
    simple = name.strip().lower().replace("-", "_")
    if simple in OTHER_WORDS and OTHER_WORDS[simple] in known:
        return OTHER_WORDS[simple]
    return next(iter(get_close_matches(simple, known, n=1, cutoff=0.6)), None)
