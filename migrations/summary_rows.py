"""Fills the summaries of jobs that are there already, in short transactions beside writers."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Connection, Table, bindparam, case, delete, exists, insert, null, select, update

from gradyard.jobs.states import FINISHED
from gradyard.jobs.submission.parameters import other_parameters, varied_parameters
from gradyard.store.bulk import OnConflict, insert_rows
from gradyard.store.database import Database
from gradyard.store.summaries import FINAL, metric_rows, store_parameters, tag_rows
from gradyard.store.tables import Job, JobSummary, JobTag, MetricSummary
from migrations.slices import fill_in_slices

SLICE = 250  # jobs of one transaction: about 30 ms


def fill_summaries(url: str) -> None:
    """Make the summary of every job that has none, or one that an older version began. Can be called again.

    Jobs that are submitted meanwhile are left to triggers: an older version may submit them faster than this follows.
    """
    database = Database(url, statement_timeout_seconds=0)
    try:
        with database.read() as connection:
            newest = connection.execute(select(Job.id).order_by(Job.id.desc()).limit(1)).scalar()
        if newest is not None:
            fill_in_slices(database, lambda after: _next_without(database, after, newest), _fill)
    finally:
        database.close()


def _next_without(database: Database, after: UUID | None, newest: UUID) -> Sequence[UUID]:
    lacking = select(Job.id).outerjoin(JobSummary, JobSummary.job_id == Job.id)
    lacking = lacking.where(JobSummary.parameters_id.is_(None), Job.id <= newest)
    if after is not None:
        lacking = lacking.where(Job.id > after)
    with database.read() as connection:
        return connection.execute(lacking.order_by(Job.id).limit(SLICE)).scalars().all()


def _fill(connection: Connection, ids: Sequence[UUID]) -> None:
    # Locked: an end between the reading and the storing of a summary would be in neither.
    columns = (Job.id, Job.project_id, Job.spec, Job.resolved, Job.tags)
    locked = select(*columns).where(Job.id.in_(ids)).order_by(Job.id).with_for_update(read=True)
    jobs = [row._asdict() for row in connection.execute(locked)]
    there = [job["id"] for job in jobs]
    if not there:
        return
    connection.execute(_insert_missing, {"of_jobs": there})
    shared = [other_parameters(job["spec"]) for job in jobs]
    store_parameters(connection, shared)
    connection.execute(_complete, [
        {"of_job": job["id"], "of_set": each.id} | _prefixed(varied_parameters(job["spec"], job["resolved"]))
        for job, each in zip(jobs, shared, strict=True)
    ])  # fmt: skip
    insert_rows(connection, JobTag, tag_rows(jobs), OnConflict.IGNORE)
    _summarize_metrics(connection, there)


def _summarize_metrics(connection: Connection, ids: Sequence[UUID]) -> None:
    """Store the figures of metrics in the columns that this step knows; `metric_rows.py` fills in later ones."""
    rows = metric_rows(connection, ids)
    connection.execute(_delete_metrics, {"of_jobs": ids})
    known = [{name: value for name, value in row.items() if name not in _LATER_COLUMNS} for row in rows]
    insert_rows(connection, MetricSummary, known)


def _prefixed(values: dict[str, Any]) -> dict[str, Any]:
    return {f"new_{name}": value for name, value in values.items()}


_LATER_COLUMNS = ("stage", "state")  # of 0035_pre
_delete_metrics = delete(cast(Table, MetricSummary.__table__)).where(
    MetricSummary.job_id.in_(bindparam("of_jobs", expanding=True))
)
_ended = Job.state.in_(list(FINISHED))
_copied = ("project_id", "batch_id", "stage", "name", "submitted_at", "steps")
_columns = Job.__table__.columns
_missing = (
    select(Job.id, *(_columns[name] for name in _copied),
           *(case((_ended, _columns[name]), else_=null()) for name in FINAL))
    .where(Job.id.in_(bindparam("of_jobs", expanding=True)), ~exists().where(JobSummary.job_id == Job.id))
)  # fmt: skip
_insert_missing = insert(JobSummary).from_select(["job_id", *_copied, *FINAL], _missing)
_varied = ("steps", "degree", "seed", "learning_rate", "points")
_complete = (
    update(cast(Table, JobSummary.__table__)).where(JobSummary.job_id == bindparam("of_job"))
    .values({name: bindparam(f"new_{name}") for name in _varied} | {"parameters_id": bindparam("of_set")})
)  # fmt: skip
