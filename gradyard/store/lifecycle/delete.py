"""Finished jobs are deleted with all their rows. Their ids stay, so that the API can answer 410."""

from uuid import UUID

from sqlalchemy import Connection, delete, insert, select

from gradyard.jobs.errors import IllegalMove
from gradyard.jobs.states import FINISHED
from gradyard.store.dialects import now
from gradyard.store.tables import DeletedJob, Job


def delete_job(connection: Connection, project_id: int, job_id: UUID) -> bool:
    """Delete a job with its result, losses, checkpoints, events and logs; False where the project has none of that id.

    Raises IllegalMove where the job is queued or running.
    """
    mine = (Job.id == job_id, Job.project_id == project_id)
    if connection.execute(delete(Job).where(*mine, Job.state.in_(list(FINISHED)))).rowcount:
        connection.execute(insert(DeletedJob).values(id=job_id, project_id=project_id, deleted_at=now()))
        return True
    state = connection.execute(select(Job.state).where(*mine)).scalar()
    if state is not None:
        raise IllegalMove(f"the job is {state}; cancel it or wait for its end before you delete it")
    return False
