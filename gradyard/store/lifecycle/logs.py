"""The output of the runner during an attempt is stored with the job."""

from uuid import UUID

from sqlalchemy import Connection, select

from gradyard.jobs.states import State
from gradyard.store.dialects import insert_or_ignore
from gradyard.store.tables import AttemptLog, Job


def keep_log(connection: Connection, job_id: UUID, attempt: int, text: str, *, truncated: bool) -> bool:
    """Store the log of an attempt, once. Call it before the move that ends the attempt. False: the job has moved on."""
    fence = (Job.id == job_id, Job.state == State.RUNNING, Job.attempt == attempt)
    project_id = connection.execute(select(Job.project_id).where(*fence)).scalar()
    if project_id is None:
        return False
    row = {"job_id": job_id, "project_id": project_id, "attempt": attempt, "text": text, "truncated": truncated}
    connection.execute(insert_or_ignore(connection, AttemptLog), row)
    return True
