"""The loop for a GPU: it gets the next segment before this process waits for the losses of the last one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from workers.runner.loop import Lengths, Segment, StepFailed
from workers.trainers.contract import WorksAhead


class _Queued:
    """The steps `begin` to `end` - 1, which the device has in its queue."""

    def __init__(self, trainer: WorksAhead, begin: int, end: int) -> None:
        self.begin, self.end = begin, end
        self.since = time.perf_counter()
        with self._naming_the_step():
            self._losses = trainer.queue(begin, end)

    def wait(self, since: float, *, at_rest: bool) -> Segment:
        """Wait for its losses. Its seconds count from when it was queued, or from `since` where that is later."""
        with self._naming_the_step():
            losses = self._losses()
        seconds = time.perf_counter() - max(since, self.since)
        return Segment(self.begin, np.ascontiguousarray(losses.T), seconds, at_rest=at_rest)

    @contextmanager
    def _naming_the_step(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            raise StepFailed(self.begin) from error


def segments_ahead(
    trainer: WorksAhead, *, steps: int, begin: int, seconds: float, rest: Callable[[], bool]
) -> Iterator[Segment]:
    """Train from step `begin` up to `steps`, and yield about every `seconds`, with one segment queued ahead.

    The trainer's state is then one segment ahead of the segment yielded, unless that one is `at_rest`. Nothing is
    queued while `rest()` is true, so soon a segment at rest is yielded; the last one always is. Raises StepFailed where
    the trainer raises.
    """
    lengths, since = Lengths(trainer, seconds), 0.0
    queued: _Queued | None = None
    while begin < steps:
        queued = queued or _Queued(trainer, begin, min(begin + lengths.next, steps))
        begin = queued.end
        ahead = None if rest() or begin >= steps else _Queued(trainer, begin, min(begin + lengths.next, steps))
        segment = queued.wait(since, at_rest=ahead is None)
        since = time.perf_counter()
        lengths.learn(segment)
        yield segment
        queued = ahead
