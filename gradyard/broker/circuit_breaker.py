"""A circuit breaker: what failed a moment ago is not tried."""

import time
from collections.abc import Callable


class Breaker:
    """Open for `first_seconds` after a failure, twice as long after each further one, at most `most_seconds`.

    A success closes it.
    """

    def __init__(
        self, first_seconds: float = 1.0, most_seconds: float = 10.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._first_seconds, self._most_seconds, self._clock = first_seconds, most_seconds, clock
        self._pause_seconds = self._until = 0.0

    def is_open(self) -> bool:
        """Whether to skip the action."""
        return self._clock() < self._until

    def failed(self) -> None:
        """Note that the action failed."""
        self._pause_seconds = min(self._most_seconds, 2 * self._pause_seconds or self._first_seconds)
        self._until = self._clock() + self._pause_seconds

    def worked(self) -> None:
        """Note that the action succeeded."""
        self._pause_seconds = self._until = 0.0
