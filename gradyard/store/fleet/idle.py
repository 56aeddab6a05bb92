"""Workers that could take a job now: alive, without a claim, and not on hold."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, func, select

from gradyard.store.dialects import now
from gradyard.store.fleet.claimable import something_to_claim
from gradyard.store.fleet.eligibility import able_workers, capabilities_of
from gradyard.store.fleet.holds import on_hold
from gradyard.store.fleet.workers import WorkerInfo
from gradyard.store.tables import Claim, Worker

MOST_COUNTED = 256  # slots that share the jobs of one key

_busy = select(Claim.id).where(Claim.worker_id == Worker.id).exists()
_is_idle: tuple[ColumnElement[bool], ...] = (Worker.lease_until > now(), ~_busy, ~on_hold)
# Built once: building such statements costs more than executing them.
_idle_slots = select(Worker.queue, func.count().label("slots")).where(*_is_idle).group_by(Worker.queue)
_idle_workers = select(
    Worker.queue, Worker.stages, Worker.pool, Worker.device_memory_mib, Worker.engines, Worker.device_name
).where(*_is_idle, Worker.queue == bindparam("queue"))  # fmt: skip
_some_idle_workers = _idle_workers.limit(MOST_COUNTED)


def idle_slots(connection: Connection) -> dict[str, int]:
    """How many slots are idle, by queue; a queue without an idle slot is left out."""
    return {row.queue: row.slots for row in connection.execute(_idle_slots)}


def idle_slots_for(connection: Connection, worker: WorkerInfo, job: Any) -> int:
    """How many idle slots of the worker's queue may take the job (a row of `jobs`), this slot included; at least 1.

    A checkpoint is of use on devices of this name alone, so a job that has one counts no others.
    """
    rows = connection.execute(_some_idle_workers, {"queue": worker.queue}).all()
    able, _ = able_workers(job, rows)
    return max(1, sum(not job.start_step or row.device_name == worker.device_name for row in able))


def claimable_by_idle_slot(connection: Connection, queue: str) -> bool:
    """Whether a job waits that an idle slot of the queue would take.

    Jobs for an absent pool do not count, nor do those that the slots leave to the other kind of device.
    """
    rows: Any = connection.execute(_idle_workers, {"queue": queue})
    return any(something_to_claim(connection, worker) for worker in {capabilities_of(row) for row in rows})
