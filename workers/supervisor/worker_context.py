"""What one worker process trains with: its settings, its place, its database, its runner, its pulse."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection

from gradyard.jobs.errors import DatabaseUnavailable
from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from gradyard.store.fleet import WorkerInfo
from workers.runner_client.runner_process import RunnerProcess
from workers.supervisor.heartbeat import Heartbeat

log = structlog.get_logger()

UNSURE_SECONDS = 600.0  # so long a result is kept while the database is away
STOPPING_SECONDS = 4.0  # so long only, once the worker shall stop
AWAY_SECONDS = 0.5  # between two tries


@dataclass(frozen=True)
class WorkerContext:
    """Everything that an attempt needs beside its pack; `stopping()` tells whether the worker shall stop."""

    settings: Settings
    worker: WorkerInfo
    heartbeat: Heartbeat
    stopping: Callable[[], bool]
    database: Database
    runner: RunnerProcess

    @property
    def actor(self) -> str:
        """How events call this worker."""
        return self.worker.name

    def commit(self, write: Callable[[Connection], Any]) -> Any:
        """Do `write` in one transaction; while the database is away or its disk full, again and again for ten minutes.

        A worker that shall stop gives up after a few seconds: the lease then says the rest. `write` may run more than
        once, so it must change nothing but the database.
        """
        return self._patiently(lambda: self.commit_once(write))

    def ask(self, read: Callable[[Connection], Any]) -> Any:
        """Read in one transaction, with the same patience."""

        def read_once() -> Any:
            with self.database.read() as connection:
                return read(connection)

        return self._patiently(read_once)

    def _patiently(self, act: Callable[[], Any]) -> Any:
        until = time.monotonic() + UNSURE_SECONDS
        while True:
            try:
                return act()
            except DatabaseUnavailable as error:
                if self.stopping():
                    until = min(until, time.monotonic() + STOPPING_SECONDS)
                if time.monotonic() >= until:
                    raise
                log.warning("the database is away; what was trained is kept", error=str(error))
                time.sleep(AWAY_SECONDS)

    def commit_once(self, write: Callable[[Connection], Any]) -> Any:
        """Do `write` in one transaction; DatabaseUnavailable where that is not possible now."""
        with self.database.begin() as connection:
            return write(connection)
