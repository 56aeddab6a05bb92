"""Fills stage and state of the rows of `metric_summaries` that are there, in short transactions beside writers."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Connection, Table, bindparam, select, update

from gradyard.store.database import Database
from gradyard.store.tables import Job, JobSummary, MetricSummary
from migrations.slices import fill_in_slices

SLICE = 1_000  # jobs of one transaction: some hundredths of a second


def fill_metrics(url: str) -> None:
    """Complete the rows of jobs that have ended and lack it. Can be called again; triggers complete new rows."""
    database = Database(url, statement_timeout_seconds=0)
    try:
        fill_in_slices(database, lambda after: _next_lacking(database, after), _fill)
    finally:
        database.close()


def _next_lacking(database: Database, after: UUID | None) -> Sequence[UUID]:
    lacking = select(MetricSummary.job_id).join(JobSummary, JobSummary.job_id == MetricSummary.job_id).distinct()
    lacking = lacking.where(MetricSummary.state.is_(None), JobSummary.state.is_not(None))
    if after is not None:
        lacking = lacking.where(MetricSummary.job_id > after)
    with database.read() as connection:
        return connection.execute(lacking.order_by(MetricSummary.job_id).limit(SLICE)).scalars().all()


def _fill(connection: Connection, ids: Sequence[UUID]) -> None:
    # Locked in the order of their ids, as everywhere: a deletion of many jobs takes their rows with it.
    connection.execute(select(Job.id).where(Job.id.in_(ids)).order_by(Job.id).with_for_update(read=True))
    connection.execute(_complete, {"of_jobs": ids})


def _of_its_job(column: Any) -> Any:
    return select(column).where(JobSummary.job_id == MetricSummary.job_id).scalar_subquery()


_complete = (
    update(cast(Table, MetricSummary.__table__)).where(MetricSummary.job_id.in_(bindparam("of_jobs", expanding=True)))
    .values(stage=_of_its_job(JobSummary.stage), state=_of_its_job(JobSummary.state))
)  # fmt: skip
