"""The output of the runner during an attempt is stored with the job."""

from sqlalchemy import Connection, bindparam, select

from gradyard.store.dialects import insert_or_ignore
from gradyard.store.lifecycle.moves import IS_HELD, Fence
from gradyard.store.tables import AttemptLog, Job


def keep_log(connection: Connection, held: Fence, text: str, *, truncated: bool) -> bool:
    """Store the log of an attempt, once. Call it before the move that ends the attempt. False: the job has moved on."""
    fenced = {"of_job": held.job_id, "fenced": held.attempt, "held_by": held.claim_id}
    project_id = connection.execute(_project_of_held, fenced).scalar()
    if project_id is None:
        return False
    row = {
        "job_id": held.job_id,
        "project_id": project_id,
        "attempt": held.attempt,
        "text": text,
        "truncated": truncated,
    }
    connection.execute(insert_or_ignore(connection, AttemptLog), row)
    return True


_project_of_held = select(Job.project_id).where(Job.id == bindparam("of_job"), *IS_HELD)
