"""How long a runner may keep its supervisor waiting: for a segment, for a stop, for letting go of its last member."""

import time

# For a runner to let go of its last member, before it is killed. On a GPU it has one segment more to wait for, and a
# new one costs seconds; the members are cancelled at once in any case.
DROP_SECONDS = {"cpu": 0.4, "cuda": 2.0}
STOP_SECONDS = 6.0  # for a runner to answer a stop with its state
ASLEEP_SECONDS = 5.0  # between two looks: this process was frozen, and perhaps its runner with it
PREPARE_SECONDS = 300.0  # for a compiler
STUCK_SECONDS, STUCK_SEGMENTS = 30.0, 20.0  # no segment for so long, or so many times its last: stuck


class RunnerTimeouts:
    """Watches the clock of one attempt on "cpu" or "cuda"."""

    def __init__(self, torch_device: str) -> None:
        self._drop_seconds = DROP_SECONDS[torch_device]
        self.began = self._heard_at = self._looked_at = time.monotonic()
        self.preparing = False
        self.segment_seconds = 0.0  # of the last one
        self.asked_to_stop_at: float | None = None
        self.emptied_at: float | None = None

    def heard(self) -> None:
        """The runner said something; or nobody listened until now."""
        self._heard_at = time.monotonic()

    def look(self) -> None:
        """To be called again and again: whoever slept himself must not take his runner's silence for its own."""
        if time.monotonic() - self._looked_at > ASLEEP_SECONDS:
            self.heard()
        self._looked_at = time.monotonic()

    def kill_reason(self) -> str | None:
        """Why the runner is to be killed; None while it is not."""
        silence = max(PREPARE_SECONDS if self.preparing else STUCK_SECONDS, STUCK_SEGMENTS * self.segment_seconds)
        ends = (
            (self._heard_at, silence, f"the runner was silent for {silence:.0f} s"),
            (self.asked_to_stop_at, STOP_SECONDS, "the worker stops, and its runner did not answer"),
            (self.emptied_at, self._drop_seconds, "nobody is left in its pack"),
        )
        now = time.monotonic()
        return next((why for since, seconds, why in ends if since is not None and now - since > seconds), None)
