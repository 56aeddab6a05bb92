"""A terminal that shows text of others as text. Where the output goes to a pipe or a file, it stays as it is."""

from io import TextIOWrapper
from typing import TextIO

from gradyard.jobs.visible_text import visible


class TerminalStream(TextIOWrapper):
    """In the place of sys.stdout or sys.stderr: whatever is written to it has no effect on the terminal."""

    def __init__(self, terminal: TextIOWrapper) -> None:
        super().__init__(terminal.buffer, encoding=terminal.encoding, errors=terminal.errors, line_buffering=True)
        self.rich_proxied_file = terminal  # consoles of rich, whose colors have an effect, write to this one

    def write(self, text: str) -> int:
        """Write the text, and its control characters by their numbers."""
        return super().write(visible(text))


def over_terminal(stream: TextIO) -> TextIO:
    """The stream to write to in the place of this one: of a terminal a TerminalStream."""
    is_new = isinstance(stream, TextIOWrapper) and not isinstance(stream, TerminalStream)
    return TerminalStream(stream) if is_new and stream.isatty() else stream  # type: ignore[arg-type]


def beneath(stream: TextIO) -> TextIO:
    """The stream that a console of rich writes to."""
    return stream.rich_proxied_file if isinstance(stream, TerminalStream) else stream
