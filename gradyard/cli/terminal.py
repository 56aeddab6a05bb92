"""The terminal: its console, and lists that fit it."""

import shutil
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleDimensions, ConsoleOptions, RenderableType
from rich.segment import Segment

from gradyard.cli.output.listing import Listing
from gradyard.cli.output.terminal_stream import beneath
from gradyard.jobs.visible_text import visible

PLAIN_WIDTH = 200  # of a pipe or a file, where nothing may be cut
BLANKS = " \u2800"  # the second is the empty letter of a curve


class VisibleConsole(Console):
    """A console of rich that styles text, and lets the text itself style nothing."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of what is printed. Those of rich's own control of the terminal stay as they are."""
        for each in super().render(renderable, options):
            yield each if each.control else Segment(visible(each.text), each.style)


class PipedConsole(VisibleConsole):
    """A console of a pipe or a file, where a line ends with its text: rich fills the lines of a table with blanks."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as rich does, each line without the blanks at its end."""
        with self.capture() as printed:
            super().print(*objects, **options)
        self.file.write("\n".join(line.rstrip(BLANKS) for line in printed.get().split("\n")))


def console(*, stderr: bool = False) -> Console:
    """A console of the terminal's width; of a pipe, one that is wide enough for every text, without control codes."""
    stream = beneath(sys.stderr if stderr else sys.stdout)
    to_terminal = VisibleConsole(file=stream).is_terminal
    kind = VisibleConsole if to_terminal else PipedConsole
    opened = kind(file=stream, stderr=stderr, highlight=False, markup=False, emoji=False)
    if not to_terminal:
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
