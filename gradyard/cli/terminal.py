"""The terminal: its console, and tables that become blocks of lines where it is too narrow for them."""

from rich.cells import cell_len
from rich.console import Console
from rich.table import Column, Table

PLAIN_WIDTH = 200  # of a pipe or a file, where nothing may be cut


def console(*, stderr: bool = False) -> Console:
    """A console of the terminal's width; of a pipe, one that is wide enough for every table, without control codes."""
    opened = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not opened.is_terminal:
        opened.width = PLAIN_WIDTH
    return opened


def print_table(table: Table) -> None:
    """Prints the table; on a terminal that is too narrow, a block for each row, with a line for each column."""
    terminal = console()
    if not terminal.is_terminal or _narrowest(table) <= terminal.width:
        terminal.print(table)
        return
    for row in zip(*(column.cells for column in table.columns), strict=True):
        block = Table.grid(padding=(0, 2))
        block.add_column(style="dim", no_wrap=True)
        block.add_column(overflow="fold")
        for column, cell in zip(table.columns, row, strict=True):
            if str(cell):
                block.add_row(column.header, cell)
        terminal.print(block, "")


def _narrowest(table: Table) -> int:
    """The width at which no number, id or word of the table is cut."""
    return sum(2 + max(map(cell_len, _unbreakable(column))) for column in table.columns)


def _unbreakable(column: Column) -> list[str]:
    cells = [str(cell) for cell in (column.header, *column.cells)]
    return cells if column.no_wrap else [word for cell in cells for word in cell.split() or [""]]
