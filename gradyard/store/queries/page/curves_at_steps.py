"""Loss curves of many jobs at the same few steps, for pictures of all of them."""

from collections.abc import Sequence
from uuid import UUID

import numpy as np
from sqlalchemy import Connection, select

from gradyard.store.tables import LossChunk
from gradyard.store.these import is_among, told

_AT_ONCE = 2000


def curves_at_steps(connection: Connection, jobs: Sequence[UUID], steps: np.ndarray) -> np.ndarray:
    """The losses of the jobs at these rising steps: shape (jobs, steps), NaN where a job has none."""
    found, places = np.full((len(jobs), len(steps)), np.nan), _Places(steps)
    rows = {job: row for row, job in enumerate(jobs)}
    streamed = connection.execution_options(yield_per=200)
    for first in range(0, len(jobs), _AT_ONCE):
        asked = {"jobs": told(connection.dialect, jobs[first : first + _AT_ONCE])}
        for job, start, count, losses in streamed.execute(_chunks, asked):
            where, which = places[start, count]
            found[rows[job], where] = np.frombuffer(losses, "<f4" if len(losses) == 4 * count else "<f8")[which]
    return found


class _Places(dict[tuple[int, int], tuple[slice, np.ndarray]]):
    """Of a chunk by its start and length: where its values stand among the steps, and which they are.

    Most jobs of a batch have the same chunks.
    """

    def __init__(self, steps: np.ndarray) -> None:
        super().__init__()
        self._steps = steps

    def __missing__(self, chunk: tuple[int, int]) -> tuple[slice, np.ndarray]:
        begin, end = np.searchsorted(self._steps, (chunk[0], sum(chunk)))
        self[chunk] = slice(begin, end), self._steps[begin:end] - chunk[0]
        return self[chunk]


_chunks = select(LossChunk.job_id, LossChunk.start_step, LossChunk.steps, LossChunk.losses).where(
    is_among(LossChunk.job_id, "jobs")
)
