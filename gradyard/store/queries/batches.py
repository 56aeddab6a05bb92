"""Batches, and the states of their jobs."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, select

from gradyard.jobs.errors import NotFound
from gradyard.jobs.states import State
from gradyard.store.queries.jobs import cursor_after, id_in, of_project
from gradyard.store.tables import Batch, Job

MOST_AT_ONCE = 500  # jobs of one read


def batch_by_id(connection: Connection, project_id: int, batch_id: UUID) -> Row[Any]:
    """The batch of that id. Raises NotFound where the project has none."""
    query = select(*Batch.__table__.columns).where(Batch.project_id == project_id, Batch.id == batch_id)
    row = connection.execute(query).first()
    if row is None:
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
    """How many jobs of each batch are in each state."""
    query = select(Job.batch_id, Job.state, func.count()).where(Job.batch_id.in_(batch_ids))
    counts = {batch_id: dict.fromkeys(State, 0) for batch_id in batch_ids}
    for batch_id, state, count in connection.execute(query.group_by(Job.batch_id, Job.state)):
        if batch_id is not None:
            counts[batch_id][State(state)] = count
    return {batch_id: {str(state): count for state, count in each.items()} for batch_id, each in counts.items()}


def best_of_batch(connection: Connection, project_id: int, batch_id: UUID, limit: int) -> list[Row[Any]]:
    """The succeeded jobs of a batch with the lowest last losses, the lowest first."""
    mine = of_project(project_id).where(Job.batch_id == batch_id, Job.state == State.SUCCEEDED)
    return list(connection.execute(mine.order_by(Job.loss_last, Job.id).limit(limit)))


def jobs_of_batch(
    connection: Connection, project_id: int, batch_id: UUID, after: UUID | None, most_bytes: int
) -> list[Row[Any]]:
    """The next jobs of a batch after that id, in the order of ids: with curves of about `most_bytes`, at least one."""
    query = of_project(project_id).where(Job.batch_id == batch_id).order_by(Job.id)
    if after is not None:
        query = query.where(Job.id > after)
    first = connection.execute(query.limit(1)).first()
    if first is None:
        return []
    each = max(1, first.steps * (8 if first.dtype == "float64" else 4))
    return list(connection.execute(query.limit(max(1, min(MOST_AT_ONCE, most_bytes // each)))))


def batch_is_marked(connection: Connection, batch_id: UUID) -> bool:
    """Whether a running job of the batch has a cancel mark, which its worker has not followed yet."""
    marked = (Job.batch_id == batch_id, Job.state == State.RUNNING, Job.cancel_requested_at.is_not(None))
    return connection.execute(select(Job.id).where(*marked).limit(1)).first() is not None
