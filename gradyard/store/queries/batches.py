"""Batches, and the states of their jobs."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, func, literal_column, select, union_all
from sqlalchemy.orm import aliased

from gradyard.jobs.errors import Gone, NotFound
from gradyard.jobs.states import State
from gradyard.store.queries.ids import next_ids_of_batch
from gradyard.store.queries.jobs import cursor_after, id_in, of_project
from gradyard.store.tables import IS_QUEUED, IS_RUNNING, Batch, DeletedBatch, Job, JobSummary

MOST_AT_ONCE = 500  # jobs of one read


def batch_by_id(connection: Connection, project_id: int, batch_id: UUID) -> Row[Any]:
    """The batch of that id. Raises NotFound where the project has none, Gone where it was deleted."""
    query = select(*Batch.__table__.columns).where(Batch.project_id == project_id, Batch.id == batch_id)
    row = connection.execute(query).first()
    if row is None:
        deleted = select(DeletedBatch.id).where(DeletedBatch.id == batch_id, DeletedBatch.project_id == project_id)
        if connection.execute(deleted).first() is not None:
            raise Gone(f"the batch {batch_id} was deleted")
        raise NotFound(f"there is no batch {batch_id}")
    return row


def batches_newest_first(
    connection: Connection, project_id: int, *, limit: int, cursor: str | None = None
) -> tuple[list[Row[Any]], str | None]:
    """A page of batches, newest first and without their sweeps, and the cursor of the next page."""
    columns = [column for column in Batch.__table__.columns if column.name != "sweep"]
    query = select(*columns).where(Batch.project_id == project_id)
    if cursor is not None:
        query = query.where(Batch.id < id_in(cursor))
    rows = list(connection.execute(query.order_by(Batch.id.desc()).limit(limit + 1)))
    more = len(rows) > limit
    return rows[:limit], cursor_after(rows[limit - 1].id) if more else None


def counts_of_batches(connection: Connection, batch_ids: list[UUID]) -> dict[UUID, dict[str, int]]:
    """How many jobs of each batch are in each state, without those that were replaced."""
    counts = {batch_id: {str(state): 0 for state in State} for batch_id in batch_ids}
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


def failures_of_batch(connection: Connection, batch_id: UUID) -> list[Row[Any]]:
    """The failed jobs of a batch that were not replaced, by `reason`, the most frequent first.

    Each row has `failed` (how many), and the id and message of the oldest of them as `job` and `message`.
    """
    return list(connection.execute(_failures, {"batch": batch_id}))


# By an index of failed jobs alone. The words of its condition must stand in the query as they are, not as parameters.
_FAILED: Any = literal_column("'failed'")
_one = aliased(Job)
_by_reason = (
    select(Job.reason, func.count().label("failed"))
    .where(Job.batch_id == bindparam("batch"), Job.state == _FAILED, Job.replaced_by.is_(None)).group_by(Job.reason)
).subquery()  # fmt: skip
_oldest = (
    select(_one.id)
    .where(_one.batch_id == bindparam("batch"), _one.state == _FAILED, _one.replaced_by.is_(None))
    .where(_one.reason == _by_reason.c.reason).order_by(_one.id).limit(1).correlate(_by_reason).scalar_subquery()
)  # fmt: skip
_failures = (
    select(_by_reason.c.reason, _by_reason.c.failed, Job.id.label("job"), Job.message)
    .join_from(_by_reason, Job, Job.id == _oldest).order_by(_by_reason.c.failed.desc(), _by_reason.c.reason)
)  # fmt: skip


def jobs_to_retry(connection: Connection, batch_id: UUID, states: Collection[State]) -> list[Row[Any]]:
    """The id and spec of each job of a batch in these states that was not replaced, in the order of ids."""
    ended = (JobSummary.batch_id == batch_id, JobSummary.state.in_(list(states)), Job.replaced_by.is_(None))
    query = select(Job.id, Job.spec).join(JobSummary, JobSummary.job_id == Job.id).where(*ended)
    return list(connection.execute(query.order_by(Job.id)))


def best_of_batch(connection: Connection, project_id: int, batch_id: UUID, limit: int) -> list[Row[Any]]:
    """The succeeded jobs of a batch with the lowest last losses, the lowest first."""
    succeeded = (JobSummary.batch_id == batch_id, JobSummary.state == State.SUCCEEDED)
    best = select(JobSummary.job_id).where(*succeeded).order_by(JobSummary.loss_last, JobSummary.job_id).limit(limit)
    mine = of_project(project_id).where(Job.id.in_(best))
    return list(connection.execute(mine.order_by(Job.loss_last, Job.id)))


def jobs_of_batch(
    connection: Connection, project_id: int, batch_id: UUID, after: UUID | None, most_bytes: int
) -> list[Row[Any]]:
    """The next jobs of a batch after that id, in the order of ids: with curves of about `most_bytes`, at least one."""

    def next_ones(limit: int) -> list[Row[Any]]:
        mine = of_project(project_id).where(Job.id.in_(next_ids_of_batch(batch_id, after, limit)))
        return list(connection.execute(mine.order_by(Job.id).limit(limit)))

    first = next_ones(1)
    if not first:
        return []
    each = max(1, (first[0].steps or 1) * (8 if first[0].dtype == "float64" else 4))
    return next_ones(max(1, min(MOST_AT_ONCE, most_bytes // each)))


def batch_is_marked(connection: Connection, batch_id: UUID) -> bool:
    """Whether a running job of the batch has a cancel mark, which its worker has not followed yet."""
    marked = (Job.batch_id == batch_id, IS_RUNNING, Job.cancel_requested_at.is_not(None))
    return connection.execute(select(Job.id).where(*marked).limit(1)).first() is not None
