"""Restarts a worker that receives no bells any more, while work waits and everything else answers.

Its consumer hangs on a dead connection or on a bug, and only a new process helps.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import structlog

from gradyard.broker.producer import Bells
from gradyard.jobs.errors import GradyardError
from gradyard.jobs.settings import Settings
from gradyard.store import fleet
from gradyard.store.database import Database
from gradyard.store.fleet import WorkerInfo
from workers.pool.slot_locks import folder_of

log = structlog.get_logger()

LOOKS = 6  # within the time after which a worker counts as not receiving
RESTART_SECONDS = 300.0  # between two restarts of a slot: a restart may not help


class Watchdog:
    """Told of each bell by `heard`; calls `restart` once the worker is not receiving.

    It reads in the database of the supervisor: a connection of its own would be idle all the time.
    """

    def __init__(
        self, settings: Settings, worker: WorkerInfo, database: Database, bells: Bells, restart: Callable[[], None]
    ) -> None:
        self._not_receiving_seconds = settings.not_receiving_seconds
        self._database = database
        self._worker, self._bells, self._restart = worker, bells, restart
        self._stamp = folder_of(settings) / f"{worker.slot}.restarted"  # of the slot, as its lock is
        self.ever_heard = threading.Event()
        self._heard_at = time.monotonic()
        self._work_since: float | None = None
        self._busy = False
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch. Does nothing where it watches already."""
        if self._thread.ident is None:
            self._thread.start()

    def stop(self) -> None:
        """End the watch."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=2.0)

    def heard(self, *, busy: bool) -> None:
        """A bell came; `busy` until the work that it brought is done."""
        self._heard_at, self._busy, self._work_since = time.monotonic(), busy, None
        self.ever_heard.set()

    def not_receiving(self) -> bool:
        """Whether claimable work has waited for long without a bell, while Redis and the database answer.

        To be asked again and again: the wait begins with the first look that finds work.
        """
        try:
            with self._database.snapshot() as connection:
                waiting = fleet.something_to_claim(connection, self._worker.capabilities)
                waiting = waiting and not fleet.is_on_hold(connection, self._worker.id)
        except GradyardError:
            waiting = False
        now = time.monotonic()
        if not waiting or self._busy or self._bells.trouble():
            self._work_since = None
            return False
        self._work_since = self._work_since or now
        return now - max(self._work_since, self._heard_at) >= self._not_receiving_seconds

    def _run(self) -> None:
        while not self._stopped.wait(self._not_receiving_seconds / LOOKS):
            if self.not_receiving() and self._may_restart():
                log.error("not receiving bells while work waits and Redis answers; this worker restarts")
                self._stamp.touch()
                self._restart()
                return

    def _may_restart(self) -> bool:
        with suppress(FileNotFoundError):
            return time.time() - self._stamp.stat().st_mtime >= RESTART_SECONDS
        return True


def end_main_process() -> None:
    """Kill Celery's main process, which does not receive. This child ends with it, and another of each begins."""
    os.kill(os.getppid(), signal.SIGKILL)
