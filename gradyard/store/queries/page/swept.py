"""What was varied in a batch, by its first and its last job: in a grid they differ in every axis."""

from collections.abc import Sequence
from functools import cache
from itertools import product
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, bindparam, select

from gradyard.store.queries.ids import every_state
from gradyard.store.queries.jobs import jobs_by_ids
from gradyard.store.tables import Batch, JobSummary


def first_and_last_jobs(
    connection: Connection, project_id: int, batch_ids: Sequence[UUID]
) -> dict[UUID, list[Row[Any]]]:
    """The first and the last job of each batch, by the batch: two reads for all; one job of a batch of one."""
    heads = connection.execute(_heads(), {"project": project_id, "batches": batch_ids})
    ends = set[UUID]()
    for of_batch in heads:
        if there := [job_id for job_id in of_batch if job_id is not None]:
            ends |= {min(there), max(there)}
    found: dict[UUID, list[Row[Any]]] = {}
    for job in jobs_by_ids(connection, project_id, sorted(ends)):
        found.setdefault(job.batch_id, []).append(job)
    return found


@cache
def _heads() -> Select[Any]:
    """Of each batch the first and the last job of every state: an index has these, and not those of all states.

    In the order of the index: PostgreSQL would sort all jobs without an end by their ids, or look through all batches.
    """
    of_batch = select(JobSummary.job_id).where(JobSummary.batch_id == Batch.id).limit(1).correlate(Batch)
    forward = JobSummary.state.asc(), JobSummary.job_id.asc()
    orders = forward, (JobSummary.state.desc(), JobSummary.job_id.desc())
    ends = [of_batch.where(state).order_by(*by).scalar_subquery() for state, by in product(every_state(), orders)]
    mine = Batch.project_id == bindparam("project"), Batch.id.in_(bindparam("batches", expanding=True))
    heads: Any = select(*ends)
    found: Select[Any] = heads.where(*mine)
    return found
