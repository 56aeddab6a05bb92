"""When maintenance rings a bell again. A bell belongs to a queue, not to a job: no state of a job depends on it."""

from collections.abc import Collection

from sqlalchemy import Connection, select, update

from gradyard.jobs.fleet import WORKER_QUEUES, Queue
from gradyard.store.dialects import now
from gradyard.store.fleet import claimable_by_idle_slot
from gradyard.store.tables import Bell

QUIET_SECONDS = 5.0  # between two rings of maintenance; submissions ring beside it
LONGEST_QUIET_SECONDS = 60.0


def queues_of(jobs: Collection[str]) -> list[Queue]:
    """The queues with bells for jobs that were put into these queues: those of any device are for both."""
    return [queue for queue in WORKER_QUEUES if queue in jobs or Queue.ANY in jobs]


def due(connection: Connection, queue: str) -> bool:
    """Whether a claimable job and an idle slot wait in the queue, and maintenance has not rung for a while.

    The pause doubles with each ring that no worker answers, up to a minute.
    """
    bell = connection.execute(
        select(Bell.rung_at, Bell.silent_rings, now().label("now")).where(Bell.queue == queue)
    ).one()
    quiet = min(LONGEST_QUIET_SECONDS, QUIET_SECONDS * 2 ** min(bell.silent_rings, 10))
    rung_recently = 0 <= bell.now - bell.rung_at < quiet  # a clock that was set back leaves `rung_at` in the future
    return not rung_recently and claimable_by_idle_slot(connection, queue)


def answered(connection: Connection, queue: str) -> bool:
    """Whether earlier rings were not answered, and now no idle slot is left beside a job that it could take."""
    silent = connection.execute(select(Bell.silent_rings).where(Bell.queue == queue)).scalar_one()
    return silent > 0 and not claimable_by_idle_slot(connection, queue)


def rung(connection: Connection, queue: str) -> None:
    """Note that the bell was rung; to be called only after a ring that succeeded."""
    silent = {"rung_at": now(), "silent_rings": Bell.silent_rings + 1}
    connection.execute(update(Bell).where(Bell.queue == queue).values(silent))


def reset_pause(connection: Connection, queue: str) -> None:
    """Note that the rings were answered: the next lost bell is rung again after the shortest pause."""
    connection.execute(update(Bell).where(Bell.queue == queue).values(silent_rings=0))
