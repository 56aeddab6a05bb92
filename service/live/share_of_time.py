"""A bound on the time that something takes which is done again and again."""


class ShareOfTime:
    """How long to pause, so that what is done takes no more than a share of the time in the long run.

    A few seconds in advance are free: what is done seldom is never kept waiting (a leaky bucket).
    """

    def __init__(self, share: float, advance_seconds: float) -> None:
        self._share, self._advance = share, advance_seconds
        self._used = self._at = 0.0

    def pause_after(self, took: float, now: float) -> float:
        """The seconds to pause after what took so long has ended, by a monotonic clock."""
        self._used = max(0.0, self._used - self._share * (now - self._at)) + took
        self._at = now
        return max(0.0, self._used - self._advance) / self._share
