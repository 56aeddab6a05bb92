"""What a project stores, kept as one row for each project: a request reads it, and no request adds it up."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, select

from gradyard.store.bulk import OnConflict, insert_rows
from gradyard.store.database import Database
from gradyard.store.dialects import clock_of
from gradyard.store.retention.sizes import sizes_of, total
from gradyard.store.tables import IS_RUNNING, SIZES, Job, JobSize, Project, ProjectStorage


def seconds_since_added_up(connection: Connection) -> float | None:
    """How long ago the sums were made; None where they never were, or where a new project has none yet."""
    newest = connection.execute(select(func.max(ProjectStorage.measured_at))).scalar()
    return None if newest is None else clock_of(connection) - newest


def measured_to(connection: Connection) -> dict[int, float]:
    """Every project, and the time to which its jobs that ended are measured: 0 where they never were."""
    query = select(Project.id, func.coalesce(ProjectStorage.measured_to, 0.0))
    query = query.outerjoin(ProjectStorage, ProjectStorage.project_id == Project.id).order_by(Project.id)
    return {project_id: float(moment) for project_id, moment in connection.execute(query)}


def add_up(database: Database, measured: Mapping[int, float]) -> None:
    """Add up what the jobs of each project store that have ended and are measured, and those that run.

    measured: the projects, and the time to which the jobs of each are measured by now.
    """
    with database.read() as connection:
        moment = clock_of(connection)
        sums = {project_id: total([]) for project_id in measured}
        for row in connection.execute(_sums):
            sums[row.project_id] = {name: int(getattr(row, name)) for name in SIZES}
        running = {row.id: row.project_id for row in connection.execute(_running)}
        for job_id, sizes in sizes_of(connection, list(running)).items():
            project_id = running[job_id]
            sums[project_id] = total([sums.get(project_id, total([])), sizes])
    rows: list[dict[str, Any]] = [
        {"project_id": project_id, "measured_at": moment, "measured_to": measured[project_id], **sums[project_id]}
        for project_id in measured
    ]
    with database.begin() as connection:
        insert_rows(connection, ProjectStorage, rows, OnConflict.REPLACE)


_sums = select(
    JobSize.project_id, *(func.sum(JobSize.__table__.columns[name]).label(name) for name in SIZES)
).group_by(JobSize.project_id)  # fmt: skip
_running = select(Job.id, Job.project_id).where(IS_RUNNING)
