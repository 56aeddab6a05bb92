"""Log lines in which text of others is text: a name, an exception, a message of the broker."""

import logging
import traceback
from typing import Any

from gradyard.jobs.visible_text import visible


def show_control_characters() -> None:
    """From now on, whatever this process logs by the standard library shows control characters by their numbers."""
    logging.setLogRecordFactory(VisibleRecord)


class VisibleRecord(logging.LogRecord):
    """A log record whose message and traceback have no effect on a terminal."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.exc_info and self.exc_info[0] is not None:  # formatters use this text where there is one
            self.exc_text = visible("".join(traceback.format_exception(*self.exc_info))).rstrip("\n")

    def getMessage(self) -> str:  # noqa: N802 - the name in the standard library
        """The message with its arguments."""
        return visible(super().getMessage())
