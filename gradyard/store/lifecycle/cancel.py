"""Cancel: at once for queued jobs, by a mark for running ones; a single job, or all of a batch."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, and_, func, select, update

from gradyard.jobs.errors import IllegalMove, NotFound
from gradyard.jobs.events import EventKind
from gradyard.jobs.states import State
from gradyard.store.dialects import now
from gradyard.store.lifecycle.moves import Fence, consequences, delete_checkpoints, move, write_events
from gradyard.store.summaries import end_summaries
from gradyard.store.tables import IS_QUEUED, IS_RUNNING, Job

CANCEL_SLICE = 1000  # jobs of one transaction: SQLite's other writers wait for it


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


@dataclass(frozen=True)
class CancelledSlice:
    """How many queued jobs of a batch a transaction cancelled; `more` where others wait, or run without a mark."""

    jobs: int
    more: bool


def cancel_some(connection: Connection, batch_id: UUID, *, actor: str, wait: bool = False) -> CancelledSlice:
    """Mark the running jobs of a batch, and cancel some of its queued ones. Call again while `more`.

    Each call is a short transaction. Between two of them workers claim more of the batch. A queued job whose row is
    locked is left out, or waited for where `wait` says so: call with it when a call cancelled none and left some.
    """
    _mark(connection, batch_id)
    jobs = _cancel_queued(connection, batch_id, actor, wait)
    left = (IS_QUEUED, and_(IS_RUNNING, Job.cancel_requested_at.is_(None)))  # an index for each
    of_batch = (select(Job.id).where(Job.batch_id == batch_id, each).limit(1) for each in left)
    return CancelledSlice(jobs, more=any(connection.execute(query).first() is not None for query in of_batch))


def _mark(connection: Connection, batch_id: UUID) -> None:
    unmarked = _running_of(batch_id).where(Job.cancel_requested_at.is_(None))
    marked = update(Job).where(Job.id.in_(unmarked), IS_RUNNING, Job.cancel_requested_at.is_(None))
    connection.execute(marked.values(cancel_requested_at=now()))


def _running_of(batch_id: UUID) -> Any:
    """Its running jobs, locked in the order in which a record of a pack locks them."""
    running = select(Job.id).where(Job.batch_id == batch_id, IS_RUNNING)
    return running.order_by(Job.id).with_for_update()


def _cancel_queued(connection: Connection, batch_id: UUID, actor: str, wait: bool) -> int:
    queued = select(Job.id).where(Job.batch_id == batch_id, IS_QUEUED).order_by(Job.id)
    locked = queued.limit(CANCEL_SLICE).with_for_update(skip_locked=not wait)
    # Two statements: of one, PostgreSQL may execute the inner part several times, each time for other rows.
    ids = list(connection.execute(locked).scalars())
    cancel_locked(connection, ids, actor=actor, detail="with its batch, while queued")
    return len(ids)


def cancel_locked(connection: Connection, job_ids: Collection[UUID], *, actor: str, detail: str) -> None:
    """Cancel these queued jobs, whose rows the transaction has locked."""
    if not job_ids:
        return
    cancelled = update(Job).where(Job.id.in_(job_ids), IS_QUEUED)
    connection.execute(cancelled.values(state=State.CANCELLED, **consequences(State.CANCELLED)))
    write_events(connection, job_ids, State.QUEUED, State.CANCELLED, EventKind.CANCELLED, actor=actor, detail=detail)
    delete_checkpoints(connection, job_ids)
    end_summaries(connection, job_ids)


def move_silent_batch(connection: Connection, batch_id: UUID, *, actor: str) -> int:
    """Cancel the marked jobs of a batch whose workers did not react in time. Returns how many."""
    marked = _running_of(batch_id).add_columns(Job.attempt, Job.claim_id).where(Job.cancel_requested_at.is_not(None))
    return sum(
        move(connection, row.id, State.CANCELLED, held=Fence(*row), actor=actor, detail="worker silent")
        for row in list(connection.execute(marked))
    )
