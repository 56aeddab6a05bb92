"""How a process that works in rounds shows its pool that it does: one that hangs looks like one with nothing to do."""

import time
from pathlib import Path

LONGEST_PAUSE_SECONDS = 5.0  # between two looks: after a longer one the watcher itself was stopped


class Rounds:
    """A file that the process touches after each round. The pool looks at it; neither relies on a clock that steps."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._touched: int | None = None
        self._seen_at = self._looked_at = time.monotonic()

    def ended(self) -> None:
        """In the process: a round has ended, whether or not it did its work."""
        self.path.touch()

    def silent_seconds(self) -> float:
        """In the pool: how long no round has ended, as of the looks so far."""
        touched, now = self._newest(), time.monotonic()
        if touched != self._touched or now - self._looked_at > LONGEST_PAUSE_SECONDS:
            self._touched, self._seen_at = touched, now
        self._looked_at = now
        return now - self._seen_at

    def begin(self) -> None:
        """In the pool: the process is started anew."""
        self._seen_at = self._looked_at = time.monotonic()

    def _newest(self) -> int | None:
        try:
            return self.path.stat().st_mtime_ns
        except FileNotFoundError:
            return None
