"""How fast a worker trains, and how often events happened to it. Its heartbeats report both."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping

from gradyard.jobs.fleet import FleetCounter

STEPS_SECONDS, JOBS_SECONDS = 10.0, 60.0


class Throughput:
    """Rates of the last seconds, and counts since the last report. Two threads use it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._began = clock, clock()
        self._lock = threading.Lock()
        self._steps: deque[tuple[float, int]] = deque()
        self._jobs: deque[tuple[float, int]] = deque()
        self._counts: Counter[str] = Counter()  # what is in no report yet
        self._unconfirmed: Counter[str] = Counter()  # the report that the database is not known to have
        self._number = 0  # of that report

    def trained(self, member_steps: int) -> None:
        """Count steps, those of all members of a pack together."""
        with self._lock:
            self._steps.append((self._clock(), member_steps))

    def finished(self, jobs: int) -> None:
        """Count jobs that this worker has finished."""
        with self._lock:
            self._jobs.append((self._clock(), jobs))
            self._counts[FleetCounter.JOBS_FINISHED] += jobs

    def count(self, counter: str, number: int = 1) -> None:
        """Add to a counter of the fleet."""
        self.count_all({counter: number})

    def count_all(self, happened: Mapping[str, int]) -> None:
        """Add to counters of the fleet, by name."""
        with self._lock:
            self._counts.update(happened)

    def steps_per_second(self) -> float:
        """Steps a second of the last ten seconds, of all members together."""
        return self._rate(self._steps, STEPS_SECONDS)

    def jobs_per_second(self) -> float:
        """Jobs a second of the last minute."""
        return self._rate(self._jobs, JOBS_SECONDS)

    def report(self) -> tuple[int, Mapping[str, int]]:
        """A report's number, and what happened: the same again until it is `reported`, as it may have arrived."""
        with self._lock:
            if not self._unconfirmed:
                self._unconfirmed, self._counts = self._counts, Counter()
                self._number += 1
            return self._number, self._unconfirmed

    def reported(self) -> None:
        """The database has the last report."""
        with self._lock:
            self._unconfirmed = Counter()

    def _rate(self, events: deque[tuple[float, int]], seconds: float) -> float:
        with self._lock:
            now = self._clock()
            while events and events[0][0] < now - seconds:
                events.popleft()
            # A worker that is younger than the window has had less time.
            return sum(number for _, number in events) / max(1.0, min(seconds, now - self._began))
