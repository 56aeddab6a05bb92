"""What has come of the jobs of a batch since some of their moves were told."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, select

from gradyard.jobs.states import FINISHED, State
from gradyard.store.tables import IS_RUNNING, IS_WAITING_AGAIN, Job, JobEvent, JobSummary
from gradyard.store.these import is_among, told

GREATEST = UUID(int=2**128 - 1)

_of_batch = select(JobSummary.job_id).where(JobSummary.batch_id == bindparam("batch"))
_after: Any = _of_batch.where(JobSummary.job_id > bindparam("after"))
_ended = _after.where(JobSummary.state.in_([state for state in State if state in FINISHED]))
_live = _after.where(JobSummary.state.is_(None), JobSummary.job_id <= bindparam("last"))
_some_live = _live.order_by(JobSummary.job_id).limit(bindparam("so_many"))
_moving = [
    select(Job.id).where(Job.batch_id == bindparam("batch"), IS_RUNNING),
    select(Job.id)
    .where(Job.project_id == bindparam("project"), Job.batch_id == bindparam("batch"), IS_WAITING_AGAIN),
]  # fmt: skip


def ended_members(connection: Connection, batch_id: UUID, after: UUID) -> set[UUID]:
    """The jobs of a batch with greater ids than that one that have ended."""
    return set(connection.execute(_ended, {"batch": batch_id, "after": after}).scalars())


def live_members(
    connection: Connection, batch_id: UUID, after: UUID, last: UUID = GREATEST, limit: int | None = None
) -> list[UUID]:  # fmt: skip
    """The jobs of a batch that wait or run, with ids after the one and up to the other.

    limit: of them the first, at most so many.
    """
    asked: dict[str, Any] = {"batch": batch_id, "after": after, "last": last}
    if limit is None:
        return list(connection.execute(_live, asked).scalars())
    return list(connection.execute(_some_live, asked | {"so_many": limit}).scalars())


def moving_members(connection: Connection, project_id: int, batch_id: UUID) -> set[UUID]:
    """The jobs of a batch of the project that run, or wait after an attempt."""
    asked = {"project": project_id, "batch": batch_id}
    return {job_id for query in _moving for job_id in connection.execute(query, asked).scalars()}


def moves_of_members(
    connection: Connection, project_id: int, known: Mapping[UUID, int], limit: int
) -> list[Row[Any]]:  # fmt: skip
    """The events of these jobs of the project, each from behind the one of its number on; at most so many.

    The events of one job stand together, the oldest first.
    """
    alike: defaultdict[int, list[UUID]] = defaultdict(list)
    for job_id, sequence in known.items():
        alike[sequence].append(job_id)
    rows: list[Row[Any]] = []
    for sequence, jobs in alike.items():
        if len(rows) < limit:
            asked = {"project": project_id, "sequence": sequence, "of_jobs": told(connection.dialect, jobs)}
            rows += connection.execute(_moves, {**asked, "so_many": limit - len(rows)}).all()
    return rows


_moves = (
    select(*JobEvent.__table__.columns)
    .where(
        is_among(JobEvent.job_id, "of_jobs"), JobEvent.project_id == bindparam("project"),
        JobEvent.sequence > bindparam("sequence"),
    ).order_by(JobEvent.job_id, JobEvent.sequence).limit(bindparam("so_many"))
)  # fmt: skip
