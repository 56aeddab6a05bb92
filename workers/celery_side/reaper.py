"""Has Celery's main process notice within a quarter of a second that its child is dead.

Celery learns of a death when a pipe closes, and looks for the dead child once. The kernel closes a process's files
before the process can be waited for, so that look may come too early; the next one is Celery's own timer, every five
seconds. The slot would idle until then.
"""

from typing import Any

from celery import bootsteps

LOOK_SECONDS = 0.25


class Reaper(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """Looks for dead children several times a second, beside Celery's own timer."""

    requires = {"celery.worker.components:Pool"}

    def register_with_event_loop(self, worker: Any, hub: Any) -> None:
        """Celery calls this once its event loop is made."""
        hub.call_repeatedly(LOOK_SECONDS, worker.pool.maintain_pool)
