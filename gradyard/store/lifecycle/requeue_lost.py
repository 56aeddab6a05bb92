"""Jobs whose worker vanished: they are queued again, until the job itself must be the cause."""

from typing import Any

from sqlalchemy import Connection, delete, select

from gradyard.jobs.events import EventKind
from gradyard.jobs.states import Reason
from gradyard.store.fleet.leases import earlier_processes
from gradyard.store.fleet.workers import WorkerInfo
from gradyard.store.lifecycle.finish import fail, hand_back
from gradyard.store.lifecycle.moves import Fence
from gradyard.store.tables import IS_RUNNING, Claim, Job, Worker
from gradyard.store.webhooks.notices import note_lost

MOST_TIMES_LOST_ALONE = 10  # a worker that vanishes so often with this job alone is killed by the job


def requeue_lost(connection: Connection, job: Any, width: int, kind: EventKind, detail: str, *, actor: str) -> bool:
    """Queue again one member of a pack of that width; False where the job has moved on.

    job: a row with id, attempt, claim_id and times_lost. A member of a wider pack is not counted, since any member may
    be the cause; its next pack is half as wide. A job that was lost alone too often fails with the reason `poison`.
    """
    held = Fence(job.id, job.attempt, job.claim_id)
    if width > 1:
        return hand_back(connection, held, actor=actor, detail=detail, kind=kind, max_pack=width // 2)
    if job.times_lost + 1 >= MOST_TIMES_LOST_ALONE:
        message = f"its worker vanished {MOST_TIMES_LOST_ALONE} times while it trained this job alone"
        return fail(connection, held, Reason.POISON, message, actor=actor, times_lost=job.times_lost + 1)
    return hand_back(connection, held, actor=actor, detail=detail, kind=kind, lost=True)


def hand_back_slot(connection: Connection, worker: WorkerInfo) -> int:
    """Queue again the jobs that an earlier process of this slot holds, and forget that process. Returns how many jobs.

    A slot has one process at a time, so the earlier one is dead for certain: its lease need not be waited for. What a
    slot of the same name on another machine holds is left alone: that one may live.
    """
    dead = [process.id for process in earlier_processes(connection, worker)]
    if not dead:
        return 0
    note_lost(connection, dead, detail="a new process of its slot found it dead")
    of_job = (Job.id, Job.attempt, Job.claim_id, Job.times_lost, Claim.width)
    held = select(*of_job).join(Claim, Job.claim_id == Claim.id).where(
        Claim.worker_id.in_(dead), IS_RUNNING
    )  # fmt: skip
    moved = [
        requeue_lost(connection, job, job.width, EventKind.WORKER_DIED, "its worker process died", actor=worker.name)
        for job in list(connection.execute(held.order_by(Job.id)))
    ]
    connection.execute(delete(Claim).where(Claim.worker_id.in_(dead)))
    connection.execute(delete(Worker).where(Worker.id.in_(dead)))
    return sum(moved)
