"""The one task: claim, run, record, until nothing is claimable. The message is a hint, the row is the truth."""

from typing import Any

import structlog

from gradyard.jobs.errors import DatabaseUnavailable
from workers.celery_side import celery_child
from workers.celery_side.app import app

MOST_PASSES = 32  # of a bell, from one slot that can do nothing with it to the next

log = structlog.get_logger()


@app.task(name="gradyard.train", ignore_result=True)
def train(job_id: str | None = None, spec: Any = None, passed: Any = 0) -> None:
    """Train what is claimable. The arguments are for people who look into Redis or Flower; nothing is done by them.

    A bell that reached a slot that is drained, too small or not entered is passed on while somebody could answer it.
    """
    here = celery_child.current
    if here is None:
        return
    here.watchdog.heard(busy=True)
    try:
        if not here.heartbeat.entered.is_set():  # it rings for itself once it has
            here.supervisor.end_runner()
        elif here.supervisor.work():
            here.bells.ring_many(here.worker.queue, 1)
            return
        if passed in range(MOST_PASSES) and here.supervisor.another_slot_could():
            here.bells.pass_on(here.worker.queue, passed + 1)
    except DatabaseUnavailable as error:
        log.warning("nothing claimed", error=str(error))  # maintenance rings again
    finally:
        here.watchdog.heard(busy=False)
