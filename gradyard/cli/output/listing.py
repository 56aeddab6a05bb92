"""A list that fits its terminal: short ids first, then shorter texts, then fewer columns, and at last a block a row."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal, Self

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from gradyard.jobs.visible_text import one_line

SHORTEST_ID = 13  # letters of a UUIDv7: its time, to the millisecond
BETWEEN = 2  # blanks between two columns
# Rich takes a box with other than ASCII letters for none; these few have look-alikes on every stream.
LINES = box.Box(str(box.SIMPLE_HEAD), ascii=True)

Cell = str | Text


@dataclass
class Column:
    """One column. drop: the higher, the sooner it goes where the terminal is narrow; 0 always stays.

    brief: the header where the terminal is narrow.

    kind: an `id` may be cut to a beginning that is still its own, a `text` to `least` letters, `prose` is broken into
    lines of at least `least` letters; what is `whole` is shown whole.
    """

    header: str
    drop: int = 0
    right: bool = False
    kind: Literal["id", "text", "prose", "whole"] = "whole"
    least: int = 10
    brief: str | None = None
    cells: list[Cell] = field(default_factory=list)

    def natural_width(self) -> int:
        """The width that shows every cell on one line."""
        return max(_width(cell) for cell in (self.header, *self.cells))

    def least_width(self) -> int:
        """The width below which the column is of no use."""
        natural = self.natural_width()
        return min(natural, max(self.least, cell_len(self.header))) if self.kind in ("text", "prose") else natural

    def with_short_ids(self) -> Self:
        """The column; one of ids has the shortest beginnings, of at least 13 letters, that tell them apart."""
        if self.kind != "id":
            return self
        letters = telling_apart(map(str, self.cells), SHORTEST_ID)
        return replace(self, cells=[str(cell)[:letters].rstrip("-") for cell in self.cells])

    def shortened(self) -> Self:
        """The column with short ids and its brief header."""
        return replace(self.with_short_ids(), header=self.brief or self.header)


class Listing:
    """Rows of cells in columns. A renderable of rich."""

    def __init__(self, *columns: Column) -> None:
        self._columns = columns

    def add(self, *cells: Cell) -> None:
        """Adds a row: one cell of one line for each column. Control characters are shown by their numbers."""
        for column, cell in zip(self._columns, cells, strict=True):
            column.cells.append(Text(one_line(cell.plain), cell.style) if isinstance(cell, Text) else one_line(cell))

    def natural_width(self) -> int:
        """The width that shows everything, one line a row."""
        return _total([column.natural_width() for column in self._columns])

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._fitted(options.max_width)

    def _fitted(self, width: int) -> RenderableType:
        columns = list(self._columns)
        if _total([column.natural_width() for column in columns]) > width:
            columns = [column.shortened() for column in columns]
        while (least := _total([column.least_width() for column in columns])) > width:
            if not any(column.drop for column in columns):
                return _blocks([column.with_short_ids() for column in self._columns])
            columns.remove(max(columns, key=lambda column: column.drop))
        return _table(columns, width - least)


def _table(columns: Sequence[Column], spare: int) -> Table:
    """The columns side by side. What is over of the width goes to the columns that were cut, the first one first."""
    table = Table(box=LINES, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for column in columns:
        width = column.least_width() + min(spare, column.natural_width() - column.least_width())
        spare -= width - column.least_width()
        table.add_column(
            column.header, justify="right" if column.right else "left", width=width,
            no_wrap=column.kind != "prose", overflow="fold" if column.kind == "prose" else "ellipsis",
        )  # fmt: skip
    for row in _rows(columns):
        table.add_row(*row)
    return table


def _blocks(columns: Sequence[Column]) -> Table:
    """A block of lines for each row, one line for each column."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for row in _rows(columns):
        for column, cell in zip(columns, row, strict=True):
            if str(cell):
                grid.add_row(column.header, cell)
        grid.add_row("", "")
    return grid


def _rows(columns: Sequence[Column]) -> Iterator[tuple[Cell, ...]]:
    return zip(*(column.cells for column in columns), strict=True)


def telling_apart(texts: Iterable[str], least: int) -> int:
    """How many letters of these texts, at least `least`, suffice to tell the different ones apart."""
    shared = max((_shared(*pair) for pair in pairwise(sorted(set(texts)))), default=0)
    return max(least, shared + 1)


def _shared(one: str, other: str) -> int:
    """How many letters two different texts have in common at their beginning."""
    return next((place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), 0)


def _width(cell: Cell) -> int:
    return max((cell_len(line) for line in str(cell).splitlines()), default=0)


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + BETWEEN * (len(widths) - 1)
