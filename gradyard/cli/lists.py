"""Long lists: the newest of them, and a word about the rest."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Protocol, TypeVar

import typer

from gradyard.cli.grammar.options import print_json
from gradyard.cli.output.listing import Listing
from gradyard.cli.terminal import print_table

USUAL_LIMIT = 20
MOST_COUNTED = 1000  # of those that are not shown: the service gives 200 at a time


class _HasJson(Protocol):
    def as_json(self) -> Any: ...


T = TypeVar("T")
Told = TypeVar("Told", bound=_HasJson)


def newest(found: Iterator[T], limit: int | None) -> tuple[list[T], int]:
    """The first `limit` of `found`, all where it is None; and how many more there are, up to `MOST_COUNTED`."""
    listed = list(islice(found, limit))
    return listed, 0 if limit is None else sum(1 for _ in islice(found, MOST_COUNTED))


def print_list(
    shown: Sequence[Told], more: int, table: Callable[[Sequence[Told]], Listing], *, as_json: bool, none: str
) -> None:
    """Prints a list as JSON or a table, for an empty one the sentence `none`, and says how many there are besides.

    more: how many, as `newest` has counted them.
    """
    if as_json:
        print_json([each.as_json() for each in shown])
    elif shown:
        print_table(table(shown))
    else:
        typer.echo(none)
    if more:
        say_that_it_is_cut(len(shown), more)


def say_that_there_are_more(shown: int, most: int) -> None:
    """Says on stderr that there are more of which the number is not known, and how to see up to `most` of them."""
    how = f"--limit {min(most, max(100, 5 * shown))}" if shown < most else f"--limit is {most:,} at most"
    typer.echo(f"{shown:,} shown, and there are more; {how}", err=True)


def say_that_it_is_cut(shown: int, more: int) -> None:
    """Says on stderr how many there are besides, and how to see them."""
    whole = f"{shown + more:,}" if more < MOST_COUNTED else f"over {shown + more - 1:,}"
    typer.echo(f"{shown:,} of {whole} shown; --limit {min(shown + more, max(100, 5 * shown))}", err=True)
