"""What the runner said during an attempt, kept with the job for as long as the attempt is the present one."""

from uuid import UUID

from sqlalchemy import Connection, select

from gradyard.jobs.states import State
from gradyard.store.database import insert_or_ignore
from gradyard.store.tables import AttemptLog, Job


def keep_log(connection: Connection, job_id: UUID, attempt: int, text: str, *, truncated: bool) -> bool:
    """Store it, once; False where the job has moved on. To be called before the move that ends the attempt."""
    fence = (Job.id == job_id, Job.state == State.RUNNING, Job.attempt == attempt)
    project_id = connection.execute(select(Job.project_id).where(*fence)).scalar()
    if project_id is None:
        return False
    row = {"job_id": job_id, "project_id": project_id, "attempt": attempt, "text": text, "truncated": truncated}
    connection.execute(insert_or_ignore(connection, AttemptLog), row)
    return True
