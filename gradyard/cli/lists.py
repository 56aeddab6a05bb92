"""Long lists: the newest of them, and a word about the rest."""

from collections.abc import Iterator
from itertools import islice
from typing import TypeVar

import typer

T = TypeVar("T")

USUAL_LIMIT = 20


def newest(found: Iterator[T], limit: int | None) -> tuple[list[T], bool]:
    """The first `limit` of `found`, all where it is None; and whether there are more."""
    listed = list(islice(found, limit))
    return listed, limit is not None and next(found, None) is not None


def say_that_it_is_cut(shown: int) -> None:
    """Says on stderr that the list goes on, and how to see more of it."""
    typer.echo(f"{shown:,} shown, there are more; --limit {max(100, 5 * shown)}", err=True)
