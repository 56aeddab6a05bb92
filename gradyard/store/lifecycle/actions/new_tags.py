"""Tags of jobs are changed: in the rows of the jobs and in those by which they are found."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from sqlalchemy import Connection, TableClause, bindparam, delete, update

from gradyard.store.bulk import OnConflict, insert_rows
from gradyard.store.tables import Job, JobTag


@dataclass(frozen=True)
class NewTags:
    """The tags of a job before and after a change."""

    job_id: UUID
    project_id: int
    before: Mapping[str, str]
    after: Mapping[str, str]


def write_tags(connection: Connection, jobs: Collection[NewTags]) -> None:
    """Store new tags of jobs, whose rows the transaction has locked."""
    changed = [job for job in jobs if job.before != job.after]
    if not changed:
        return
    connection.execute(_set, [{"of_job": job.job_id, "new": dict(job.after)} for job in changed])
    gone = [{"of_job": job.job_id, "of_key": key} for job in changed for key in job.before if key not in job.after]
    if gone:
        connection.execute(_take_away, gone)
    insert_rows(connection, JobTag, [
        {"job_id": job.job_id, "project_id": job.project_id, "key": key, "value": value}
        for job in changed for key, value in job.after.items() if job.before.get(key) != value
    ], OnConflict.REPLACE)  # fmt: skip


# Built once: building such statements costs more than executing them.
_set = update(cast(TableClause, Job.__table__)).where(Job.id == bindparam("of_job")).values(tags=bindparam("new"))
_take_away = (
    delete(cast(TableClause, JobTag.__table__))
    .where(JobTag.job_id == bindparam("of_job"), JobTag.key == bindparam("of_key"))
)  # fmt: skip
