"""Histograms of times, kept as counters: one for each bucket, and one for the sum. The buckets never change."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Histogram:
    """A histogram of seconds, whose counters are called `NAME_le_BOUND`, `NAME_le_inf` and `NAME_microseconds`."""

    name: str
    bounds: tuple[float, ...]

    def counts(self, seconds: Iterable[float]) -> Counter[str]:
        """What these times add to the counters."""
        found: Counter[str] = Counter()
        for each in seconds:
            found[self._bucket(bisect_left(self.bounds, each))] += 1
            found[self._sum] += round(max(0.0, each) * 1e6)
        return found

    def read(self, totals: Mapping[str, int]) -> tuple[list[tuple[str, float]], float]:
        """The cumulative buckets as Prometheus has them (upper bound, count), and the sum in seconds."""
        buckets, count = [], 0
        for index in range(len(self.bounds) + 1):
            count += totals.get(self._bucket(index), 0)
            bound = str(float(self.bounds[index])) if index < len(self.bounds) else "+Inf"
            buckets.append((bound, float(count)))
        return buckets, totals.get(self._sum, 0) / 1e6

    def _bucket(self, index: int) -> str:
        return f"{self.name}_le_{self.bounds[index]:g}" if index < len(self.bounds) else f"{self.name}_le_inf"

    @property
    def _sum(self) -> str:
        return f"{self.name}_microseconds"


WAITING = Histogram("waiting", (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400, 86400))
"""From the submission of a job to its first claim."""
TRAINING = Histogram("training", (0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400))
"""The training of a job that trained to its end or diverged, of all its attempts together."""
REQUESTS = Histogram("request", (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60))
"""From the arrival of a request to the begin of its answer."""
