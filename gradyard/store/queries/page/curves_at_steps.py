"""Loss curves of many jobs at the same few steps, for pictures of all of them."""

from collections.abc import Sequence
from uuid import UUID

import numpy as np
from sqlalchemy import Connection, bindparam, select

from gradyard.store.tables import LossChunk

_AT_ONCE = 500


def curves_at_steps(connection: Connection, jobs: Sequence[UUID], steps: np.ndarray) -> np.ndarray:
    """The losses of the jobs at these rising steps: shape (jobs, steps), NaN where a job has none."""
    found = np.full((len(jobs), len(steps)), np.nan)
    rows = {job: row for row, job in enumerate(jobs)}
    for first in range(0, len(jobs), _AT_ONCE):
        asked = {"jobs": list(jobs[first : first + _AT_ONCE])}
        for job, start, count, losses in connection.execution_options(yield_per=200).execute(_chunks, asked):
            begin, end = np.searchsorted(steps, (start, start + count))
            values = np.frombuffer(losses, "<f4" if len(losses) == 4 * count else "<f8")
            found[rows[job], begin:end] = values[steps[begin:end] - start]
    return found


_chunks = (
    select(LossChunk.job_id, LossChunk.start_step, LossChunk.steps, LossChunk.losses)
    .where(LossChunk.job_id.in_(bindparam("jobs", expanding=True)))
)  # fmt: skip
