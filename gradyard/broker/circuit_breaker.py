"""Whether to try at all what failed a moment ago."""

import time
from collections.abc import Callable


class Breaker:
    """Skips what failed just now: for `first_seconds` after a failure, twice as long after each more.

    `most_seconds` is the longest; a success resets it.
    """

    def __init__(
        self, first_seconds: float = 1.0, most_seconds: float = 10.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._first_seconds, self._most_seconds, self._clock = first_seconds, most_seconds, clock
        self._pause_seconds = self._until = 0.0

    def is_open(self) -> bool:
        """Whether to skip."""
        return self._clock() < self._until

    def failed(self) -> None:
        """It was tried, in vain."""
        self._pause_seconds = min(self._most_seconds, 2 * self._pause_seconds or self._first_seconds)
        self._until = self._clock() + self._pause_seconds

    def worked(self) -> None:
        """It was tried, and worked."""
        self._pause_seconds = self._until = 0.0
