"""The loop for a GPU: it gets the next segment before this process waits for the losses of the last one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from workers.runner.loop import Lengths, Segment, StepFailed
from workers.trainers.contract import WorksAhead

_WAITED = 0.25
"""Of the time that queueing the next segment took: who waited longer for the losses found the device at work still."""


class _Queued:
    """The steps `begin` to `end` - 1, which the device has in its queue. `seconds`: how long it took to queue them."""

    def __init__(self, trainer: WorksAhead, begin: int, end: int) -> None:
        self.begin, self.end = begin, end
        self.since = time.perf_counter()
        with self._naming_the_step():
            self._losses = trainer.queue(begin, end)
        self.seconds = time.perf_counter() - self.since

    def wait(self, last_ended: float, ahead: _Queued | None) -> Segment:
        """Wait for its losses. `last_ended`: when those of the segment before it were there."""
        began = time.perf_counter()
        with self._naming_the_step():
            losses = self._losses()
        ended = time.perf_counter()
        seconds = self._seconds(ended - began, ended - max(last_ended, self.since), ahead)
        return Segment(self.begin, np.ascontiguousarray(losses.T), seconds, at_rest=ahead is None)

    def _seconds(self, waited: float, since_last: float, ahead: _Queued | None) -> float:
        """What these steps took: of the host, which queues them, or of the device, whichever is slower.

        A host that is slower finds the losses there after it has queued the next segment: the time since the last
        losses is then the next segment's. Lengths chosen by it would swing, further each time.
        """
        if ahead is not None and waited < _WAITED * ahead.seconds:
            return self.seconds
        return max(self.seconds, since_last)

    @contextmanager
    def _naming_the_step(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:  # sys.exit() of a trainer included
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
        segment = queued.wait(since, ahead)
        since = time.perf_counter()
        lengths.learn(segment)
        yield segment
        queued = ahead
