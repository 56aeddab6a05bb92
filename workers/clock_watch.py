"""Whether leases may be judged now: only by a clock that was seen to go on evenly."""

BACK_SECONDS = 1.0  # that a clock may go back while it is adjusted


class ClockWatch:
    """Watches the database's clock between the rounds of maintenance.

    A step of that clock, a machine that slept and a process that was stopped look alike: every lease seems to have
    expired, those of live workers too. So after a leap of the clock, and at the start of this process, leases are left
    alone for as long as one lasts, and live workers renew theirs meanwhile.
    """

    def __init__(self, lease_seconds: float, round_seconds: float) -> None:
        self._lease_seconds = lease_seconds
        self._most_seconds = max(lease_seconds / 3, 3 * round_seconds)  # between two rounds, without a leap
        self._seen_at: float | None = None
        self._even_since = 0.0
        self.leapt = False  # at the last round, or it was the first

    def is_even(self, moment: float) -> bool:
        """Whether the clock, now at that moment, went on evenly for the length of a lease. To be asked each round."""
        seen_at, self._seen_at = self._seen_at, moment
        self.leapt = seen_at is None or not -BACK_SECONDS <= moment - seen_at <= self._most_seconds
        if self.leapt:
            self._even_since = moment
        return moment - self._even_since >= self._lease_seconds

    def failed(self) -> None:
        """A round failed: where this process could not use the database, workers could not renew their leases."""
        self._seen_at = None
