"""A job whose worker never said what became of it: queued again, until it must be the job's own fault."""

from typing import Any

from sqlalchemy import Connection, delete, select

from gradyard.jobs.states import Reason, State
from gradyard.store.fleet.workers import WorkerInfo
from gradyard.store.lifecycle.finish import fail, hand_back
from gradyard.store.tables import Claim, Job, Worker

MOST_TIMES_LOST_ALONE = 10  # nobody reported: that often alone, the job itself is to blame


def requeue_lost(connection: Connection, job: Any, width: int, detail: str, *, actor: str) -> bool:
    """Move one member (a row with id, attempt, times_lost) of a pack of that width; False where it has moved on.

    Blame needs solitude: in company the next pack is half as wide, and nothing is counted.
    """
    if width > 1:
        return hand_back(connection, job.id, job.attempt, actor=actor, detail=detail, max_pack=width // 2)
    if job.times_lost + 1 >= MOST_TIMES_LOST_ALONE:
        message = f"its worker vanished {MOST_TIMES_LOST_ALONE} times while it trained this job alone"
        return fail(connection, job.id, job.attempt, Reason.POISON, message, actor=actor, times_lost=job.times_lost + 1)
    return hand_back(connection, job.id, job.attempt, actor=actor, detail=detail, lost=True)


def hand_back_slot(connection: Connection, worker: WorkerInfo) -> int:
    """Queue again what an earlier process of this very slot still holds: it is dead for certain. How many jobs."""
    earlier = select(Worker.id).where(Worker.host == worker.host, Worker.slot == worker.slot, Worker.id != worker.id)
    held = select(Job.id, Job.attempt, Job.times_lost, Claim.width).join(Claim, Job.claim_id == Claim.id).where(
        Claim.worker_id.in_(earlier), Job.state == State.RUNNING
    )  # fmt: skip
    moved = [
        requeue_lost(connection, job, job.width, "its worker process died", actor=worker.name)
        for job in list(connection.execute(held.order_by(Job.id)))
    ]
    dead = list(connection.execute(earlier).scalars())
    connection.execute(delete(Claim).where(Claim.worker_id.in_(dead)))
    connection.execute(delete(Worker).where(Worker.id.in_(dead)))
    return sum(moved)
