"""What holds for columns of every format: how they may be called, and which of them may be read."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradyard.jobs.errors import FileInvalid
from gradyard.jobs.files.shown import quoted
from gradyard.jobs.validation.suggestions import did_you_mean
from gradyard.jobs.visible_text import one_line

MOST_COLUMNS = 1000
NAME_CHARACTERS = 200
PREVIEW_ROWS = 5
SHOWN_NAMES = 5


def name_problem(names: Sequence[str]) -> str | None:
    """What is wrong with the names of a file's columns and what to do, as one sentence; None where nothing is."""
    if len(names) > MOST_COLUMNS:
        return f"the file has {len(names):,} columns, and may have {MOST_COLUMNS:,}; leave out some"
    places: dict[str, int] = {}
    for place, name in enumerate(names, 1):
        if not name.strip():
            return f"column {place} has no name; give each column a name"
        if len(name) > NAME_CHARACTERS:
            return f"the name of column {place} has {len(name):,} characters; shorten it to {NAME_CHARACTERS}"
        if one_line(name) != name:
            return f"the name of column {place} has characters that cannot be seen: {quoted(name)}; rename the column"
        if (before := places.setdefault(name, place)) != place:
            return f"columns {before} and {place} are both called {quoted(name)}; give each column its own name"
    return None


def check_names(names: Sequence[str]) -> None:
    """Raise FileInvalid where there are too many names, or one is empty, too long, not printable or there twice."""
    if problem := name_problem(names):
        raise FileInvalid(problem)


def check_known(wanted: Sequence[str], names: Sequence[str], without_any: str) -> None:
    """Raise FileInvalid where a wanted name is none of the file's columns.

    The message names the nearest one. `without_any`: why a file of this format may have no columns.
    """
    known = frozenset(names)
    for name in wanted:
        if name in known:
            continue
        if not names:
            raise FileInvalid(f"the file has no columns: {without_any}")
        raise FileInvalid(f"the file has no column {quoted(name)}{did_you_mean(name, names) or _some_of(names)}")


def _some_of(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN_NAMES:,} more" if len(names) > SHOWN_NAMES else ""
    return f"; it has {', '.join(quoted(name) for name in names[:SHOWN_NAMES])}{more}"


def no_numbers(name: str, kind: str) -> FileInvalid:
    """That a column has no numbers; `kind`: its type in the words of its format."""
    return FileInvalid(f"the column {quoted(name)} has no numbers but {kind}; name a column of numbers")


def check_rows(rows: int, most_rows: int) -> None:
    """Raise FileInvalid where there are more rows than may be read."""
    if rows > most_rows:
        raise FileInvalid(f"the file has {rows:,} rows, and {most_rows:,} may be read; send a file with fewer rows")


def missing_in(numbers: NDArray[np.floating[Any]]) -> int:
    """How many of the numbers are not finite."""
    return int(numbers.size - np.count_nonzero(np.isfinite(numbers)))
