"""Ids that people shorten: the jobs and batches of a project whose ids lie in a range, the newest first."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select

from gradyard.store.tables import Batch, DeletedBatch, DeletedJob, Job


def jobs_between(connection: Connection, project_id: int, first: UUID, last: UUID, limit: int) -> list[Row[Any]]:
    """The id, stage, name and state of the project's newest jobs with ids from `first` to `last`, at most `limit`."""
    within = (Job.project_id == project_id, Job.id >= first, Job.id <= last)
    query = select(Job.id, Job.stage, Job.name, Job.state).where(*within)
    return list(connection.execute(query.order_by(Job.id.desc()).limit(limit)))


def batches_between(connection: Connection, project_id: int, first: UUID, last: UUID, limit: int) -> list[Row[Any]]:
    """The id, name and size of the project's newest batches with ids from `first` to `last`, at most `limit`."""
    within = (Batch.project_id == project_id, Batch.id >= first, Batch.id <= last)
    query = select(Batch.id, Batch.name, Batch.size).where(*within)
    return list(connection.execute(query.order_by(Batch.id.desc()).limit(limit)))


def deleted_jobs_between(connection: Connection, project_id: int, first: UUID, last: UUID, limit: int) -> list[UUID]:
    """The ids of the project's deleted jobs from `first` to `last`, at most `limit`."""
    return _deleted(connection, DeletedJob, project_id, (first, last), limit)


def deleted_batches_between(connection: Connection, project_id: int, first: UUID, last: UUID, limit: int) -> list[UUID]:
    """The ids of the project's deleted batches from `first` to `last`, at most `limit`."""
    return _deleted(connection, DeletedBatch, project_id, (first, last), limit)


def _deleted(
    connection: Connection, table: type[DeletedJob | DeletedBatch], project_id: int, ids: tuple[UUID, UUID], limit: int
) -> list[UUID]:
    within = (table.id >= ids[0], table.id <= ids[1], table.project_id == project_id)
    return list(connection.execute(select(table.id).where(*within).limit(limit)).scalars())
