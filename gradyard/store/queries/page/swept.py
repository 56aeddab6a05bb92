"""What was varied in a batch, by its first and its last job: in a grid they differ in every axis."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select

from gradyard.store.queries.jobs import jobs_by_ids
from gradyard.store.tables import Batch, JobSummary


def first_and_last_jobs(
    connection: Connection, project_id: int, batch_ids: Sequence[UUID]
) -> dict[UUID, list[Row[Any]]]:
    """The first and the last job of each batch, by the batch: two reads for all; one job of a batch of one."""
    of_batch = select(JobSummary.job_id).where(JobSummary.batch_id == Batch.id).limit(1).correlate(Batch)
    first = of_batch.order_by(JobSummary.job_id).scalar_subquery()
    last = of_batch.order_by(JobSummary.job_id.desc()).scalar_subquery()
    ends = connection.execute(select(first, last).where(Batch.project_id == project_id, Batch.id.in_(batch_ids)))
    found: dict[UUID, list[Row[Any]]] = {}
    for job in jobs_by_ids(connection, project_id, sorted({end for both in ends for end in both if end is not None})):
        found.setdefault(job.batch_id, []).append(job)
    return found
