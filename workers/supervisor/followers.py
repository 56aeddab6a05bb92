"""Jobs that wait for the end of a pack: this worker releases them at once, rather than maintenance within a second."""

import structlog

from gradyard.broker import when_to_ring
from gradyard.jobs.errors import DatabaseUnavailable
from gradyard.store import fleet
from gradyard.store.upkeep.waits import end_waits
from workers.supervisor.worker_context import WorkerContext

log = structlog.get_logger()

SECONDS = 0.1  # then this worker claims its next pack; what is left is maintenance's


def release_followers(context: WorkerContext) -> None:
    """Release, or let fail, jobs that waited for others which have ended, and ring for them.

    One read, where there is none. Where the database does not answer, maintenance does it later.
    """
    try:
        released = end_waits(context.database, SECONDS, actor=context.actor)
        if released:
            with context.database.read() as connection:
                idle = fleet.idle_slots(connection)
            for queue in when_to_ring.queues_of(released):
                context.ring(queue, max(1, min(idle.get(queue, 0), released.total())))
    except DatabaseUnavailable as error:
        log.warning("jobs that wait for others are left to maintenance", error=str(error))
