"""The terminal: its console, and lists that fit it."""

import shutil

from rich.console import Console, ConsoleDimensions

from gradyard.cli.output.listing import Listing

PLAIN_WIDTH = 200  # of a pipe or a file, where nothing may be cut


def console(*, stderr: bool = False) -> Console:
    """A console of the terminal's width; of a pipe, one that is wide enough for every text, without control codes."""
    opened = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not opened.is_terminal:
        opened.width = PLAIN_WIDTH
    elif opened.is_dumb_terminal:  # for which rich takes 80, whatever its width
        opened.size = ConsoleDimensions(*shutil.get_terminal_size())
    return opened


def print_table(listing: Listing) -> None:
    """Prints the list: on a terminal what its width allows, else every column and every cell whole."""
    terminal = console()
    if not terminal.is_terminal:
        terminal.width = max(terminal.width, listing.natural_width())
    terminal.print(listing)
