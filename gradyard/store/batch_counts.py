"""How many jobs of batches are in which state: asked by lists, and when a batch has finished."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, select, union_all

from gradyard.jobs.states import State
from gradyard.store.tables import IS_QUEUED, IS_RUNNING, Job, JobSummary


def counts_of_batches(connection: Connection, batch_ids: list[UUID]) -> dict[UUID, dict[str, int]]:
    """How many jobs of each batch are in each state, without those that were replaced."""
    counts = {batch_id: {str(state): 0 for state in State} for batch_id in batch_ids}
    if not counts:
        return {}
    for batch_id, state, count in connection.execute(_counts, {"batches": batch_ids}):
        if batch_id is not None:
            counts[batch_id][state] += count
    return counts


# The replaced ones are subtracted: each half then reads an index alone, and never the rows of a large batch.
_these: Any = bindparam("batches", expanding=True)
_live = [select(Job.batch_id, Job.state, func.count()).where(Job.batch_id.in_(_these), each)
         for each in (IS_QUEUED, IS_RUNNING)]  # fmt: skip
_replaced = select(Job.batch_id, Job.state, -func.count()).where(Job.batch_id.in_(_these), Job.replaced_by.is_not(None))
_ended = (
    select(JobSummary.batch_id, JobSummary.state, func.count())
    .where(JobSummary.batch_id.in_(_these), JobSummary.state.is_not(None))
    .group_by(JobSummary.batch_id, JobSummary.state)
)  # fmt: skip
_counts: Any = union_all(_ended, *(each.group_by(Job.batch_id, Job.state) for each in (*_live, _replaced)))
