"""One process of a stack: started, waited for, and restarted with growing pauses when it ends."""

import time
from collections.abc import Callable

from gradyard.local.errors import CannotStart, StartInterrupted
from gradyard.processes.children import Child

LOOK_SECONDS = 0.03
LOG_LINES = 12
SHORTEST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0  # after that run time the pause starts from the shortest again


class StackProcess:
    """A child process, and a check of its readiness: `why_not()` returns None if it is ready, else the reason."""

    def __init__(self, child: Child, why_not: Callable[[], str | None], deadline_seconds: float) -> None:
        self.child = child
        self._why_not = why_not
        self._deadline_seconds = deadline_seconds
        self._started_at = 0.0
        self._start_again_at: float | None = None
        self._pause_seconds = SHORTEST_PAUSE_SECONDS

    def start(self) -> None:
        """Starts the process. Raises CannotStart if the system refuses."""
        try:
            self.child.start()
        except OSError as error:
            raise CannotStart(f"{self.child.name} cannot be started: {error.strerror or error}") from None
        self._started_at = time.monotonic()

    def wait_until_ready(self, interrupted: Callable[[], bool]) -> None:
        """Waits until it is ready. Raises CannotStart with its last log lines if it ends, or is not ready in time."""
        while (why_not := self._why_not()) is not None:
            if interrupted():
                raise StartInterrupted("interrupted")
            status = self.child.returncode()
            if status is not None:
                raise self._failure(f"{self.child.name} ended at once, with status {status}")
            if time.monotonic() > self._started_at + self._deadline_seconds:
                raise self._failure(f"{self.child.name} is not ready after {self._deadline_seconds:g} s ({why_not})")
            time.sleep(LOOK_SECONDS)

    def mend(self, say: Callable[[str], None]) -> bool:
        """Restarts the process if it has ended, after a pause that doubles each time. True if it tried just now."""
        status = self.child.returncode()
        if status is None:
            return False
        now = time.monotonic()
        if self._start_again_at is None:
            steady = now - self._started_at > STEADY_SECONDS
            self._pause_seconds = SHORTEST_PAUSE_SECONDS if steady else self._pause_seconds
            say(
                f"{self.child.name} ended with status {status}; restart in {self._pause_seconds:g} s "
                f"(log: {self.child.log_path})"
            )
            self._start_again_at = now + self._pause_seconds
            self._pause_seconds = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)
        elif now >= self._start_again_at:
            self._start_again_at = None
            try:
                self.start()
            except CannotStart as error:  # memory or disk may be full; a later try can succeed
                say(str(error))
                self._start_again_at = now + self._pause_seconds
            return True
        return False

    def _failure(self, what: str) -> CannotStart:
        lines = [line for line in self.child.tail(LOG_LINES) if line.strip()]
        log = f"; its log, {self.child.log_path}:" if lines else ""
        return CannotStart("\n  | ".join([what + log, *lines]))
