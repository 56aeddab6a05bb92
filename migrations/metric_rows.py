"""Gives the figures of metrics that are there already the stage and the state of their job, beside writers."""

import time
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, bindparam, select, update

from gradyard.store.database import Database
from gradyard.store.tables import JobSummary, MetricSummary

SLICE = 1_000  # jobs of one transaction: some hundredths of a second


def fill_metrics(url: str) -> None:
    """Complete every figure of a metric that has no stage. Can be called again; a trigger completes new ones."""
    database = Database(url, statement_timeout_seconds=0)
    try:
        after: UUID | None = None
        while (last := _fill_next(database, after)) is not None:
            after = last
    finally:
        database.close()


def _fill_next(database: Database, after: UUID | None) -> UUID | None:
    """Complete those of some jobs; the last of them, None where all are complete."""
    lacking = select(MetricSummary.job_id).where(MetricSummary.stage.is_(None))
    if after is not None:
        lacking = lacking.where(MetricSummary.job_id > after)
    with database.read() as connection:
        ids = connection.execute(lacking.order_by(MetricSummary.job_id).limit(SLICE)).scalars().all()
    if not ids:
        return None
    began = time.monotonic()
    with database.begin() as connection:
        connection.execute(_complete, {"of_jobs": ids})
    if database.is_sqlite:  # its other writers ask again and again, so they need a time without this one
        time.sleep(time.monotonic() - began)
    return ids[-1]


def _of_its_job(column: Any) -> Any:
    return select(column).where(JobSummary.job_id == MetricSummary.job_id).scalar_subquery()


_complete = (
    update(cast(Table, MetricSummary.__table__)).where(MetricSummary.job_id.in_(bindparam("of_jobs", expanding=True)))
    .values(stage=_of_its_job(JobSummary.stage), state=_of_its_job(JobSummary.state))
)  # fmt: skip
