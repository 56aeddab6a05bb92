"""What one worker process trains with: its settings, its slot, its heartbeat, its database, its runner."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection

from gradyard.jobs.errors import DatabaseUnavailable
from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from gradyard.store.files.reading import FileReader
from gradyard.store.fleet import WorkerInfo
from workers.runner_client.runner_process import RunnerProcess
from workers.supervisor.heartbeat import Heartbeat

log = structlog.get_logger()

R = TypeVar("R")

RETRY_SECONDS = 600.0  # for so long a result is kept while the database is away
STOPPING_SECONDS = 4.0  # for so long once the worker must stop
AWAY_SECONDS = 0.5  # between two tries


@dataclass(frozen=True)
class WorkerContext:
    """Everything that an attempt needs beside its pack. `stopping()` is true once the worker must stop.

    ring: rings for workers of a queue, so many times. files: reads the files that jobs are trained on.
    """

    settings: Settings
    worker: WorkerInfo
    heartbeat: Heartbeat
    stopping: Callable[[], bool]
    database: Database
    runner: RunnerProcess
    ring: Callable[[str, int], object] = lambda queue, times: None
    files: FileReader | None = None

    @property
    def actor(self) -> str:
        """The name of this worker in events."""
        return self.worker.name

    def commit(self, write: Callable[[Connection], Any]) -> Any:
        """Do `write` in one transaction and return its result. Retry for ten minutes while the database cannot store.

        `write` may run more than once, so it must change nothing but the database. A worker that must stop gives up
        after a few seconds, and its lease expires. Raises DatabaseUnavailable after that time.
        """
        return self.retried(lambda: self.commit_once(write))

    def read(self, read: Callable[[Connection], Any]) -> Any:
        """Read in one transaction and return the result. Retry for ten minutes while the database is away.

        Raises DatabaseUnavailable after that time, or after a few seconds where the worker must stop.
        """

        def read_once() -> Any:
            with self.database.read() as connection:
                return read(connection)

        return self.retried(read_once)

    def retried(self, act: Callable[[], R]) -> R:
        """What `act` returns, which is tried for as long as `read` is. Raises DatabaseUnavailable as it does."""
        until = time.monotonic() + RETRY_SECONDS
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
        """Do `write` in one transaction and return its result. Raises DatabaseUnavailable where it cannot be stored."""
        with self.database.begin() as connection:
            return write(connection)
