"""What is under way: running jobs, batches that are not finished, and the names of jobs that slots train."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, exists, func, or_, select

from gradyard.store.tables import IS_QUEUED, IS_RUNNING, Batch, Job

LOOKED_AT = 100  # of the newest batches

_newest = (
    select(Batch.id).where(Batch.project_id == bindparam("project")).order_by(Batch.id.desc()).limit(LOOKED_AT)
).subquery()  # fmt: skip
_under_way = (
    select(*(column for column in Batch.__table__.columns if column.name != "sweep"))
    .where(Batch.id.in_(select(_newest.c.id)))
    .where(or_(*(exists().where(Job.batch_id == Batch.id, live) for live in (IS_RUNNING, IS_QUEUED))))
    .order_by(Batch.id.desc()).limit(bindparam("so_many"))
)  # fmt: skip
_named: Any = (
    select(Job.id, Job.stage, Job.name)
    .where(Job.project_id == bindparam("project"), Job.id.in_(bindparam("jobs", expanding=True)))
)  # fmt: skip


def running_jobs(connection: Connection, project_id: int) -> int:
    """How many jobs of the project run."""
    return int(connection.execute(_running, {"project": project_id}).scalar_one())


_running = select(func.count()).select_from(Job).where(IS_RUNNING, Job.project_id == bindparam("project"))


def batches_under_way(connection: Connection, project_id: int, limit: int) -> list[Row[Any]]:
    """The newest batches of which jobs wait or run, without their sweeps; of the newest LOOKED_AT batches alone."""
    return list(connection.execute(_under_way, {"project": project_id, "so_many": limit}))


def names_of(connection: Connection, project_id: int, jobs: Sequence[UUID]) -> dict[UUID, Row[Any]]:
    """The id, stage and name of each of these jobs of the project."""
    if not jobs:
        return {}
    rows: Iterable[Any] = connection.execute(_named, {"project": project_id, "jobs": list(jobs)})
    return {row.id: row for row in rows}
