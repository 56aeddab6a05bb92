"""When a queue's bell must be rung again. A bell belongs to a queue, not to a row; that it rang is no one's state."""

from sqlalchemy import ColumnElement, Connection, exists, func, select, update

from gradyard.store.database import now
from gradyard.store.fleet import Capabilities, something_to_claim
from gradyard.store.fleet.holds import on_hold
from gradyard.store.tables import Bell, Claim, Worker

QUIET_SECONDS = 5.0  # between two rings of maintenance; those of submissions come on top
LONGEST_QUIET_SECONDS = 60.0


def due(connection: Connection, queue: str) -> bool:
    """Whether the queue has a row claimable now, an idle live slot, and no ring of maintenance for a while.

    Rings that nobody answers come less and less often, down to one a minute.
    """
    bell = connection.execute(
        select(Bell.rung_at, Bell.silent_rings, now().label("now")).where(Bell.queue == queue)
    ).one()
    quiet = min(LONGEST_QUIET_SECONDS, QUIET_SECONDS * 2 ** min(bell.silent_rings, 10))
    return bell.now - bell.rung_at >= quiet and claimable_by_idle_slot(connection, queue)


def answered(connection: Connection, queue: str) -> bool:
    """Whether rings were silent before, and there is nobody now who could take something and does not."""
    silent = connection.execute(select(Bell.silent_rings).where(Bell.queue == queue)).scalar_one()
    return silent > 0 and not claimable_by_idle_slot(connection, queue)


def idle_slots(connection: Connection, queue: str) -> int:
    """Live workers of the queue that hold no claim and may take one."""
    return int(connection.execute(select(func.count()).where(*_idle(queue))).scalar_one())


def rung(connection: Connection, queue: str) -> None:
    """The bell rang; written only after a ring that succeeded."""
    silent = {"rung_at": now(), "silent_rings": Bell.silent_rings + 1}
    connection.execute(update(Bell).where(Bell.queue == queue).values(silent))


def hushed(connection: Connection, queue: str) -> None:
    """Its rings were answered: the next lost bell is rung again soon."""
    connection.execute(update(Bell).where(Bell.queue == queue).values(silent_rings=0))


def claimable_by_idle_slot(connection: Connection, queue: str) -> bool:
    """Whether something waits that an idle slot could take: a job of an absent pool keeps nobody awake."""
    idle = select(Worker.stages, Worker.pool, Worker.device_memory_mib, Worker.engines).where(*_idle(queue))
    kinds = {
        Capabilities(queue, tuple(row.stages.items()), row.pool, row.device_memory_mib or 0,
                  tuple(row.engines or ["eager"]))
        for row in connection.execute(idle)
    }  # fmt: skip
    return any(something_to_claim(connection, capabilities) for capabilities in kinds)


def _idle(queue: str) -> list[ColumnElement[bool]]:
    busy = exists().where(Claim.worker_id == Worker.id)
    return [Worker.queue == queue, Worker.lease_until > now(), ~busy, ~on_hold]
