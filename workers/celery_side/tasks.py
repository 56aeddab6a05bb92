"""The one task: claim, train, record, until nothing is claimable. The message is a hint, the row is the truth."""

import structlog

from gradyard.broker.celery_settings import TASK
from gradyard.jobs.errors import DatabaseUnavailable
from gradyard.jobs.fleet import FleetCounter
from workers.celery_side import celery_child
from workers.celery_side.app import app

MOST_PASSES = 32  # of one bell, from a slot that cannot claim to the next

log = structlog.get_logger()


@app.task(name=TASK, ignore_result=True)
def train(passed: int = 0, dropped: str | None = None) -> None:
    """Train what is claimable. `dropped`: why a message was no bell; it is counted, and nothing else is done.

    A slot that is drained, too small or not entered passes the bell on while another slot could claim something.
    """
    child = celery_child.current
    if child is None:
        return
    if dropped is not None:
        log.warning("a message of the broker was dropped", reason=dropped)
        child.heartbeat.throughput.count(FleetCounter.MESSAGES_DROPPED)
        return
    child.watchdog.heard(busy=True)
    try:
        if not child.heartbeat.entered.is_set():  # it rings for itself once it has entered
            child.supervisor.end_runner()
        elif child.supervisor.work():
            child.bells.ring_many(child.worker.queue, 1)
            return
        if passed in range(MOST_PASSES) and child.supervisor.another_slot_could_claim():
            child.bells.pass_on(child.worker.queue, passed + 1)
    except DatabaseUnavailable as error:
        log.warning("nothing claimed", error=str(error))  # maintenance rings again
    finally:
        child.watchdog.heard(busy=False)
