"""Workers that could take a job now: alive, without a claim, and not on hold."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, func, select

from gradyard.store.dialects import now
from gradyard.store.fleet.claimable import something_to_claim
from gradyard.store.fleet.eligibility import capabilities_of
from gradyard.store.fleet.holds import on_hold
from gradyard.store.tables import Claim, Worker

_busy = select(Claim.id).where(Claim.worker_id == Worker.id).exists()
_is_idle: tuple[ColumnElement[bool], ...] = (Worker.lease_until > now(), ~_busy, ~on_hold)
# Built once: building such statements costs more than executing them.
_idle_slots = select(Worker.queue, func.count().label("slots")).where(*_is_idle).group_by(Worker.queue)
_idle_workers = select(
    Worker.queue, Worker.stages, Worker.pool, Worker.device_memory_mib, Worker.engines
).where(*_is_idle, Worker.queue == bindparam("queue"))  # fmt: skip


def idle_slots(connection: Connection) -> dict[str, int]:
    """How many slots are idle, by queue; a queue without an idle slot is left out."""
    return {row.queue: row.slots for row in connection.execute(_idle_slots)}


def claimable_by_idle_slot(connection: Connection, queue: str) -> bool:
    """Whether a job waits that an idle slot of the queue could take. A job for an absent pool does not count."""
    rows: Any = connection.execute(_idle_workers, {"queue": queue})
    return any(something_to_claim(connection, worker) for worker in {capabilities_of(row) for row in rows})
