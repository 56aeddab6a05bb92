"""A job gets another name, other tags, a pin, or another priority. Its spec stays as it was submitted."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select, update

from gradyard.jobs.errors import IllegalMove
from gradyard.jobs.states import State
from gradyard.jobs.submission.requests.changes import JobChanges, refuse_tags, too_many_tags
from gradyard.store.lifecycle.actions.new_tags import NewTags, write_tags
from gradyard.store.lifecycle.batches import lock_batch
from gradyard.store.tables import Job, JobSummary


def change_job(connection: Connection, project_id: int, job_id: UUID, changes: JobChanges) -> list[str]:
    """Change a job of the project, and return the names of what is another than before, `tags` among them.

    A new priority counts at the next claim: the claim order asks for it (`fleet/priorities.py`). Raises IllegalMove
    where the priority of a job is to change that is not queued, BodyInvalid where it would have too many tags.
    """
    batch_id = connection.execute(select(Job.batch_id).where(Job.id == job_id, Job.project_id == project_id)).scalar()
    if batch_id is not None and "pinned" in changes.columns:
        lock_batch(connection, batch_id)  # a deletion of the batch looks for pins once
    asked = select(Job.id, Job.project_id, Job.state, Job.name, Job.tags, Job.pinned, Job.priority)
    job = connection.execute(asked.where(Job.id == job_id, Job.project_id == project_id).with_for_update()).first()
    if job is None:  # deleted a moment ago
        return []
    columns = {name: value for name, value in changes.columns.items() if value != getattr(job, name)}
    if "priority" in columns and job.state != State.QUEUED:
        raise IllegalMove(f"the job is {job.state}; only the priority of a queued one can change")
    tags = changes.tags.of(job.tags)
    if problem := too_many_tags(tags):
        raise refuse_tags(problem)
    _write(connection, job, columns)
    write_tags(connection, [NewTags(job.id, job.project_id, job.tags, tags)])
    return [*columns, *(["tags"] if tags != job.tags else [])]


def _write(connection: Connection, job: Row[Any], columns: Mapping[str, Any]) -> None:
    if columns:
        connection.execute(update(Job).where(Job.id == job.id).values(columns))
    if "name" in columns:
        connection.execute(update(JobSummary).where(JobSummary.job_id == job.id).values(name=columns["name"]))
