"""Batches, and the states of their jobs."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, Text, bindparam, cast, func, literal_column, select
from sqlalchemy.orm import aliased

from gradyard.jobs.errors import Gone, NotFound
from gradyard.jobs.states import State
from gradyard.store.batch_counts import counts_of_batches
from gradyard.store.queries.jobs import cursor_after, id_in
from gradyard.store.tables import Batch, DeletedBatch, Job, JobEvent, JobSummary

__all__ = [
    "batch_by_id", "batches_newest_first", "counts_of_batches", "failures_of_batch", "jobs_to_retry",
    "size_of_retry", "submitter_of_batch",
]  # fmt: skip


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


def submitter_of_batch(connection: Connection, batch: Row[Any]) -> str | None:
    """Who submitted the batch. Of one that an older version stored, its oldest job tells; None where that is gone."""
    if batch.submitted_by is not None:
        return str(batch.submitted_by)
    of_batch = select(JobSummary.job_id).where(JobSummary.batch_id == batch.id)
    oldest = of_batch.order_by(JobSummary.job_id).limit(1).scalar_subquery()
    first = select(JobEvent.actor).where(JobEvent.job_id == oldest, JobEvent.sequence == 1)
    return connection.execute(first).scalar()


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
    """The id, spec, name, tags and priority of each job of a batch in these states that was not replaced, by ids."""
    asked = select(Job.id, Job.spec, Job.name, Job.tags, Job.priority)
    return list(connection.execute(_to_retry(asked, batch_id, states).order_by(Job.id)))


def size_of_retry(connection: Connection, batch_id: UUID, states: Collection[State]) -> tuple[int, int]:
    """How many jobs of a batch in these states were not replaced, and how many bytes their specs have together."""
    asked = select(func.count(), func.coalesce(func.sum(func.length(cast(Job.spec, Text))), 0)).select_from(Job)
    count, spec_bytes = connection.execute(_to_retry(asked, batch_id, states)).one()
    return count, int(spec_bytes)


def _to_retry(asked: Select[Any], batch_id: UUID, states: Collection[State]) -> Select[Any]:
    ended = (JobSummary.batch_id == batch_id, JobSummary.state.in_(list(states)), Job.replaced_by.is_(None))
    return asked.join(JobSummary, JobSummary.job_id == Job.id).where(*ended)
