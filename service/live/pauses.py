"""How long the watcher pauses before it asks again whether something was committed."""

from service.live.waits import AT_FIRST_SECONDS, OFTEN_SECONDS, SELDOM_SECONDS, YOUNG_SECONDS

SHARE_OF_TIME = 0.1  # of looks, in the long run
ADVANCE_SECONDS = 0.02  # of looks that may come at once: that at a job's claim shall not delay the one at its end


class Pauses:
    """Questions come more often while a wait is young. Looks take a tenth of the time at most, some in advance.

    A look asks the database for what is waited for; a question asks it only whether something was committed. Times are
    in seconds, of a monotonic clock. No pause is longer than `SELDOM_SECONDS`.
    """

    def __init__(self) -> None:
        self._young_until = self._counted_at = self._looked = 0.0

    def wait_begins(self, now: float) -> None:
        """Note that a wait begins for which milliseconds count."""
        self._young_until = now + YOUNG_SECONDS

    def after(self, now: float, *, asked: float, looked: float) -> float:
        """The pause after a question that took `asked`, and a look that took `looked`."""
        between = AT_FIRST_SECONDS if now < self._young_until else OFTEN_SECONDS
        return min(SELDOM_SECONDS, max(between, asked, self._after_look(now, looked)))

    def _after_look(self, now: float, looked: float) -> float:
        """A leaky bucket: looks fill it, and time empties it."""
        paid = SHARE_OF_TIME * (now - self._counted_at)
        most = ADVANCE_SECONDS + SHARE_OF_TIME * SELDOM_SECONDS  # a look that took seconds is not paid for later
        self._looked, self._counted_at = min(most, max(0.0, self._looked - paid) + looked), now
        return max(0.0, self._looked - ADVANCE_SECONDS) / SHARE_OF_TIME
