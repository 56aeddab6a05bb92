"""The one task: claim, run, record, until nothing is claimable. The message is a hint, the row is the truth."""

from typing import Any

import structlog

from jobs.errors import DatabaseUnavailable
from workers import process
from workers.app import app

log = structlog.get_logger()


@app.task(name="gradyard.train", ignore_result=True)
def train(job_id: str | None = None, spec: Any = None) -> None:
    """Train what is claimable. The arguments are for people who look into Redis or Flower; nothing is done by them."""
    here = process.current
    if here is None or not here.presence.entered.is_set():
        return  # it rings for itself once it has entered
    here.watchdog.heard(busy=True)
    try:
        if here.supervisor.work():
            here.bells.ring_many(here.worker.queue, 1)
    except DatabaseUnavailable as error:
        log.warning("nothing claimed", error=str(error))  # maintenance rings again
    finally:
        here.watchdog.heard(busy=False)
