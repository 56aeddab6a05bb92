"""What a worker has done lately, and how often something happened to it: told with its heartbeats."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable

STEPS_SECONDS, JOBS_SECONDS = 10.0, 60.0


class Throughput:
    """Steps and jobs of the last seconds, and counts since the last telling; for two threads at once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._began = clock, clock()
        self._lock = threading.Lock()
        self._steps: deque[tuple[float, int]] = deque()
        self._jobs: deque[tuple[float, int]] = deque()
        self._happened: Counter[str] = Counter()

    def trained(self, member_steps: int) -> None:
        """So many steps of all members of a pack together."""
        with self._lock:
            self._steps.append((self._clock(), member_steps))

    def ended(self, jobs: int) -> None:
        """So many jobs are over."""
        with self._lock:
            self._jobs.append((self._clock(), jobs))
            self._happened["jobs"] += jobs

    def count(self, name: str, number: int = 1) -> None:
        """It happened so often."""
        with self._lock:
            self._happened[name] += number

    def steps_per_second(self) -> float:
        """Of the last ten seconds."""
        return self._rate(self._steps, STEPS_SECONDS)

    def jobs_per_second(self) -> float:
        """Of the last minute."""
        return self._rate(self._jobs, JOBS_SECONDS)

    def take_counts(self) -> Counter[str]:
        """What happened since the last call; `give_back` it where it could not be told."""
        with self._lock:
            taken, self._happened = self._happened, Counter()
            return taken

    def give_back(self, counts: Counter[str]) -> None:
        """It is told the next time."""
        with self._lock:
            self._happened += counts

    def _rate(self, events: deque[tuple[float, int]], seconds: float) -> float:
        with self._lock:
            now = self._clock()
            while events and events[0][0] < now - seconds:
                events.popleft()
            # A worker that is younger than the window has had less time.
            return sum(number for _, number in events) / max(1.0, min(seconds, now - self._began))
