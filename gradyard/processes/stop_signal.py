"""SIGTERM and Ctrl-C as a question, for loops that sleep between two rounds."""

import contextlib
import os
import select
import signal
from types import FrameType


class StopSignal:
    """Once made, these signals end nothing: `wait` tells of them. Only the main thread may make one.

    A threading.Event would not do: a second signal that interrupts the handler of the first, in the middle of `set`,
    waits for ever for the lock that the first one holds.
    """

    def __init__(self) -> None:
        self._came = False
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._take)

    def _take(self, number: int, frame: FrameType | None) -> None:
        self._came = True
        with contextlib.suppress(BlockingIOError):  # the pipe is full of what says the same
            os.write(self._write, b"s")

    def came(self) -> bool:
        """Whether somebody asked us to stop."""
        return self._came

    def wait(self, seconds: float) -> bool:
        """The same, after `seconds` or as soon as somebody asks."""
        if not self._came:
            select.select([self._read], [], [], seconds)
        return self._came
