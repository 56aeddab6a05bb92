"""SIGTERM, SIGINT (Ctrl-C) and SIGHUP as a question that a loop asks: did a stop signal arrive?"""

import contextlib
import os
import select
import signal
from types import FrameType, TracebackType
from typing import Any, Self

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class StopSignal:
    """From its creation on, stop signals no longer end the process; the process asks for them and ends by itself.

    Use it in a `with` statement to restore the earlier handlers afterwards. Only the main thread can create one.
    A SIGHUP that was ignored before (`nohup`) stays ignored.

    It is no threading.Event: a second signal can interrupt the handler of the first inside `set()`, and then waits
    forever for the lock that the first one holds.
    """

    def __init__(self) -> None:
        self._received: list[int] = []
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        self._earlier_handlers: dict[int, Any] = {
            number: signal.signal(number, self._receive) for number in STOPPING if not _ignored_by_nohup(number)
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._earlier_handlers.items():
            signal.signal(number, handler)
        os.close(self._read)
        os.close(self._write)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self._received.append(number)
        with contextlib.suppress(BlockingIOError):  # the pipe is full, so `wait` returns anyway
            os.write(self._write, b"s")

    def requested(self) -> bool:
        """Whether a stop signal has arrived."""
        return bool(self._received)

    def in_a_hurry(self) -> bool:
        """Whether a second stop signal has arrived: stop without any more grace."""
        return len(self._received) > 1

    def by_ctrl_c(self) -> bool:
        """Whether one of the signals was SIGINT."""
        return signal.SIGINT in self._received

    def wait(self, seconds: float) -> bool:
        """Waits until a stop signal arrives, at most `seconds`; returns whether one has arrived."""
        if not self._received:
            select.select([self._read], [], [], seconds)
        return self.requested()


def _ignored_by_nohup(number: int) -> bool:
    return number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN
