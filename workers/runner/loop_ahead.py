"""The loop for a device that works by itself: it has the next segment before the losses of the last are waited for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from workers.runner.loop import Lengths, Segment, StepFailed
from workers.trainers.contract import WorksAhead


class _Queued:
    """Steps `begin` to `end` - 1 that the device has, and may not have begun."""

    def __init__(self, trainer: WorksAhead, begin: int, end: int) -> None:
        self.begin, self.end = begin, end
        self.since = time.perf_counter()
        with self._telling():
            self._losses = trainer.queue(begin, end)

    def wait(self, since: float, *, at_rest: bool) -> Segment:
        """Its losses, and the seconds since it was queued or, later, since the one before it was done."""
        with self._telling():
            losses = self._losses()
        seconds = time.perf_counter() - max(since, self.since)
        return Segment(self.begin, np.ascontiguousarray(losses.T), seconds, at_rest=at_rest)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            raise StepFailed(self.begin) from error


def segments_ahead(
    trainer: WorksAhead, *, steps: int, begin: int, seconds: float, rest: Callable[[], bool]
) -> Iterator[Segment]:
    """As `segments`, but that the trainer's state is one segment ahead, unless the segment yielded is `at_rest`.

    Nothing is queued ahead while `rest()` is true, so the segment after the next one is at rest, as the last one is.
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
