"""Celery's main process notices at once that its child is dead.

It learns of a death by a pipe that closes, looks once, and where the kernel has not made the child waitable yet (it
closes a process's files first), it looks again only at its timer of five seconds. A slot would idle for as long.
"""

from typing import Any

from celery import bootsteps

LOOK_SECONDS = 0.25


class Reaper(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """Looks for dead children often, beside Celery's own timer."""

    requires = {"celery.worker.components:Pool"}

    def register_with_event_loop(self, worker: Any, hub: Any) -> None:
        """Called by Celery once its loop is made."""
        hub.call_repeatedly(LOOK_SECONDS, worker.pool.maintain_pool)
