"""Cancel: at once for a queued job, by a mark for a running one."""

from uuid import UUID

from sqlalchemy import Connection, func, select, update

from gradyard.jobs.errors import IllegalMove, NotFound
from gradyard.jobs.states import State
from gradyard.store.dialects import now
from gradyard.store.lifecycle.moves import Fence, move
from gradyard.store.tables import Job


def request_cancel(connection: Connection, job_id: UUID, *, actor: str) -> State:
    """Cancel a queued job at once, or mark a running one for its worker. Returns the state after that.

    A job that is cancelled already stays so. Raises IllegalMove where it succeeded or failed, NotFound where it was
    deleted.
    """
    # The row is locked: between two statements it could be claimed or handed back.
    present = connection.execute(select(Job.state).where(Job.id == job_id).with_for_update()).scalar()
    if present is None:
        raise NotFound(f"there is no job {job_id}")
    state = State(present)
    if state is State.QUEUED:
        move(connection, job_id, State.CANCELLED, actor=actor, only_from=State.QUEUED, detail="while queued")
        return State.CANCELLED
    if state is State.RUNNING:
        mark = update(Job).where(Job.id == job_id)
        connection.execute(mark.values(cancel_requested_at=func.coalesce(Job.cancel_requested_at, now())))
    elif state is not State.CANCELLED:
        raise IllegalMove(f"the job is {state} already; only a queued or running job can be cancelled")
    return state


def cancel_by_worker(connection: Connection, held: Fence, *, actor: str) -> bool:
    """Cancel a running job whose worker saw the mark. Returns False where it has moved on."""
    return move(connection, held.job_id, State.CANCELLED, held=held, actor=actor, detail="while running")


def move_silent(connection: Connection, job_id: UUID, *, actor: str) -> bool:
    """Cancel a marked job whose worker did not react in time. Returns False where it has moved on."""
    marked = connection.execute(
        select(Job.id, Job.attempt, Job.claim_id).where(Job.id == job_id, Job.cancel_requested_at.is_not(None))
    ).first()
    if marked is None:
        return False
    return move(connection, job_id, State.CANCELLED, held=Fence(*marked), actor=actor, detail="worker silent")
