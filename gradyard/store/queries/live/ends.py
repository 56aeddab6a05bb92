"""The ends that many requests wait for, each asked in one query."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Text, cast, or_, select

from gradyard.store.database import driver_rows
from gradyard.store.tables import IS_QUEUED, IS_RUNNING, Job
from gradyard.store.these import is_among, told


def live_among(connection: Connection, jobs: Collection[tuple[int, UUID]]) -> set[tuple[int, UUID]]:
    """Of these jobs, each with its project, those that wait or run."""
    dialect = connection.dialect
    rows = driver_rows(connection, _live, {"of_jobs": told(dialect, (job_id for _, job_id in jobs))})
    return {(project_id, UUID(job_id)) for project_id, job_id in rows}


def marked_among(connection: Connection, batches: Collection[UUID]) -> set[UUID]:
    """Of these batches, those with a running job that has a cancel mark, which its worker has not followed yet."""
    dialect = connection.dialect
    found = connection.execute(_marked, {"of_batches": told(dialect, batches)}).scalars()
    return {batch_id for batch_id in found if batch_id is not None}


_live: Any = select(Job.project_id, cast(Job.id, Text)).where(is_among(Job.id, "of_jobs"), or_(IS_QUEUED, IS_RUNNING))
_marked = select(Job.batch_id).distinct().where(
    is_among(Job.batch_id, "of_batches"), IS_RUNNING, Job.cancel_requested_at.is_not(None)
)  # fmt: skip
