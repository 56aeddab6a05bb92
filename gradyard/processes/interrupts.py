"""Ctrl-C and SIGTERM as questions: has anybody asked us to stop, and has he asked twice?"""

import signal
from types import FrameType, TracebackType
from typing import Any, Self

WATCHED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """While entered, the signals that end a process are counted and end nothing; what they meant is ours to do.

    Only the main thread may enter it.
    """

    def __init__(self) -> None:
        self._taken: list[int] = []
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in WATCHED:
            self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _take(self, number: int, frame: FrameType | None) -> None:
        self._taken.append(number)

    def asked(self) -> bool:
        """Whether somebody asked us to stop."""
        return bool(self._taken)

    def in_a_hurry(self) -> bool:
        """Whether he asked again."""
        return len(self._taken) > 1

    def by_hand(self) -> bool:
        """Whether it was Ctrl-C."""
        return signal.SIGINT in self._taken
