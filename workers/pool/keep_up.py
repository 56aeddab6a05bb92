"""Keeps child processes running: one that dies is started again, later each time that it dies young."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from gradyard.processes.children import Child, stop_in_order
from gradyard.processes.stop_signal import StopSignal
from workers.pool.rounds import Rounds

GRACE_SECONDS = 8.0  # a runner that does not answer a stop is killed after six
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 60.0
STEADY_SECONDS = 10.0  # a child that lived for so long starts again without a pause
LOOK_SECONDS = 0.2
HUNG_SECONDS = 60.0  # without the end of a round; a long one takes seconds


@dataclass
class Post:
    """A child that must always run, and when it may be started again.

    `rounds`: those that it shows, if it does; after `hung_seconds` without one it is killed.
    """

    child: Child
    rounds: Rounds | None = None
    hung_seconds: float = HUNG_SECONDS
    started_at: float = 0.0
    pause_seconds: float = FIRST_PAUSE_SECONDS
    due_at: float = 0.0

    def fill(self) -> None:
        """Start the child where it does not run, once its pause is over. Kill one that hangs."""
        now = time.monotonic()
        if self.started_at and self.child.returncode() is None:
            self._look()
            return
        if not self.started_at:
            self.started_at = now
            self.child.start()
        elif not self.due_at:
            if now - self.started_at >= STEADY_SECONDS:
                self.pause_seconds = FIRST_PAUSE_SECONDS
            self.due_at = now + self.pause_seconds
            status, pause = self.child.returncode(), self.pause_seconds
            print(f"{self.child.name} ended with status {status}; it starts again in {pause:.0f} s", flush=True)
        elif now >= self.due_at:
            self.pause_seconds = min(LONGEST_PAUSE_SECONDS, 2 * self.pause_seconds)
            self.started_at, self.due_at = now, 0.0
            self.child.start()

    def _look(self) -> None:
        if self.rounds is not None and (silent := self.rounds.silent_seconds()) > self.hung_seconds:
            print(f"{self.child.name} has ended no round for {silent:.0f} s; it is killed", flush=True)
            self.rounds.begin()
            self.child.kill()


def keep_up(posts: Sequence[Post]) -> None:
    """Keep every child running until SIGTERM or Ctrl-C, then stop them all."""
    stop = StopSignal()
    try:
        while not stop.wait(LOOK_SECONDS if posts[0].started_at else 0.0):
            for post in posts:
                post.fill()
    finally:
        for post in posts:
            post.child.terminate()  # all at once: each takes seconds to hand its jobs back
        stop_in_order([post.child for post in posts], GRACE_SECONDS)
