"""Cancel is a move of the row; the fence makes it safe."""

from uuid import UUID

from sqlalchemy import Connection, func, select, update

from jobs.database import now
from jobs.errors import IllegalMove
from jobs.lifecycle.moves import move
from jobs.states import State
from jobs.tables import Job


def request_cancel(connection: Connection, job_id: UUID, *, actor: str) -> State:
    """Cancel a queued job at once; mark a running one for its worker. The state after.

    Raises IllegalMove where the job is over; a job that is cancelled already stays so without complaint.
    """
    if move(connection, job_id, State.CANCELLED, actor=actor, only_from=State.QUEUED, detail="while queued"):
        return State.CANCELLED
    mark = update(Job).where(Job.id == job_id, Job.state == State.RUNNING)
    mark = mark.values(cancel_requested_at=func.coalesce(Job.cancel_requested_at, now()))
    if connection.execute(mark).rowcount:
        return State.RUNNING
    state = State(connection.execute(select(Job.state).where(Job.id == job_id)).scalar_one())
    if state is State.CANCELLED:
        return state
    raise IllegalMove(f"the job is {state} already; only a queued or running job can be cancelled")


def cancel_by_worker(connection: Connection, job_id: UUID, attempt: int, *, actor: str) -> bool:
    """The worker that trains it lets go of a marked job; False where it has moved on."""
    return move(connection, job_id, State.CANCELLED, attempt=attempt, actor=actor, detail="while running")


def move_silent(connection: Connection, job_id: UUID, *, actor: str) -> bool:
    """Cancel a marked job whose worker did not answer in time."""
    marked = connection.execute(
        select(Job.attempt).where(Job.id == job_id, Job.cancel_requested_at.is_not(None))
    ).scalar()
    if marked is None:
        return False
    return move(connection, job_id, State.CANCELLED, attempt=marked, actor=actor, detail="worker silent")
