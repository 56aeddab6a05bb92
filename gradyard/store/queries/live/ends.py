"""The ends that many requests wait for, each asked in one query."""

from collections.abc import Collection
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Dialect, Select, Text, cast, or_, select

from gradyard.store.database import driver_rows
from gradyard.store.tables import IS_QUEUED, IS_RUNNING, Job
from gradyard.store.these import is_among, told


def live_among(connection: Connection, jobs: Collection[tuple[int, UUID]]) -> set[tuple[int, UUID]]:
    """Of these jobs, each with its project, those that wait or run."""
    dialect = connection.dialect
    rows = driver_rows(connection, _live(dialect), {"of_jobs": told(dialect, (job_id for _, job_id in jobs))})
    return {(project_id, UUID(job_id)) for project_id, job_id in rows}


def marked_among(connection: Connection, batches: Collection[UUID]) -> set[UUID]:
    """Of these batches, those with a running job that has a cancel mark, which its worker has not followed yet."""
    dialect = connection.dialect
    found = connection.execute(_marked(dialect), {"of_batches": told(dialect, batches)}).scalars()
    return {batch_id for batch_id in found if batch_id is not None}


@lru_cache(maxsize=2)
def _live(dialect: Dialect) -> Select[Any]:
    query: Any = select(Job.project_id, cast(Job.id, Text)).where(is_among(dialect, Job.id, "of_jobs"))
    live: Select[Any] = query.where(or_(IS_QUEUED, IS_RUNNING))
    return live


@lru_cache(maxsize=2)
def _marked(dialect: Dialect) -> Select[Any]:
    query: Any = select(Job.batch_id).distinct().where(is_among(dialect, Job.batch_id, "of_batches"))
    marked: Select[Any] = query.where(IS_RUNNING, Job.cancel_requested_at.is_not(None))
    return marked
