"""The time limits of a runner: for its next message, for an answer to a stop, for dropping its last member."""

import time

# For a runner to drop its last member before it is killed. On a GPU it has one segment more to wait for, and a new
# runner costs seconds. The cancel itself does not wait for either.
DROP_SECONDS = {"cpu": 0.4, "cuda": 2.0}
STOP_SECONDS = 6.0  # for a runner to answer a stop with its state
# The same for one that has sent none yet, so that little is lost: it may load torch.optim, or compile, for seconds.
FIRST_STOP_SECONDS = 1.0
ASLEEP_SECONDS = 5.0  # between two looks: this process was frozen, and its runner may have been
PREPARE_SECONDS = 300.0  # for a compiler
STUCK_SECONDS, STUCK_SEGMENTS = 30.0, 20.0  # without a message, in seconds or in times of the last segment


class RunnerTimeouts:
    """The clocks of one attempt on "cpu" or "cuda"."""

    def __init__(self, torch_device: str) -> None:
        self._drop_seconds = DROP_SECONDS[torch_device]
        self._began_at = self._heard_at = self._looked_at = time.monotonic()
        self._preparing, self._trains = False, False
        self._segment_seconds = 0.0
        self._stop_requested_at: float | None = None
        self._emptied_at: float | None = None

    def age_seconds(self) -> float:
        """Seconds since the attempt began."""
        return time.monotonic() - self._began_at

    def heard(self) -> None:
        """Restart the wait: a message came, or this process did not read until now."""
        self._heard_at = time.monotonic()

    def preparing(self) -> None:
        """Allow the runner the time of a compiler, until `prepared` or a segment."""
        self._preparing = True

    def prepared(self) -> None:
        """End the time of a compiler."""
        self._preparing = False

    def segment_took(self, seconds: float) -> None:
        """Measure the wait for the next segment by the last one's length, which is not longer than the attempt."""
        self._segment_seconds, self._preparing, self._trains = min(seconds, self.age_seconds()), False, True

    def stop_requested(self) -> bool:
        """Start the clock of a stop. Return whether it was not started before."""
        if self._stop_requested_at is not None:
            return False
        self._stop_requested_at = time.monotonic()
        return True

    def stop_is_over(self) -> bool:
        """Whether the runner has not answered a stop in time."""
        limit = STOP_SECONDS if self._trains else FIRST_STOP_SECONDS
        return self._stop_requested_at is not None and time.monotonic() - self._stop_requested_at > limit

    def emptied(self) -> None:
        """Start the clock of the last member, unless it was started before."""
        if self._emptied_at is None:
            self._emptied_at = time.monotonic()

    def look(self) -> None:
        """To be called several times a second. After a sleep of this process the wait for a message restarts."""
        if time.monotonic() - self._looked_at > ASLEEP_SECONDS:
            self.heard()
        self._looked_at = time.monotonic()

    def kill_reason(self) -> str | None:
        """Why the runner must be killed; None while it is within its limits."""
        silence = max(PREPARE_SECONDS if self._preparing else STUCK_SECONDS, STUCK_SEGMENTS * self._segment_seconds)
        if self._looked_at - self._heard_at > silence:  # not until now: this process may have slept since it looked
            return f"the runner sent nothing for {silence:.0f} s"
        dropped = self._emptied_at is None or time.monotonic() - self._emptied_at <= self._drop_seconds
        return None if dropped else "no member of its pack is left"
