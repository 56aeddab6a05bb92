"""Sees a process that was stopped, by any fault, while it held SQLite's write lock: nothing else is written then."""

import threading
import time
from pathlib import Path

import psutil

from gradyard.store.upkeep import write_lock
from gradyard.store.upkeep.in_use import file_of
from tests.faults.arena import Arena
from tests.faults.bites import STOPPED_WRITER, Journal
from tests.faults.host_faults import MAINTENANCE_STOPPED

LOOK_SECONDS = 0.1
NAME = "a stopped process"
"""In the journal, where a fault of the plan has its number."""


class StoppedWriters:
    """A thread that looks who holds the lock, and adds to the journal when a stopped process did. SQLite on Linux."""

    def __init__(self, arena: Arena) -> None:
        self._arena, self._file = arena, file_of(arena.fleet.database_url)
        self._finished = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.holder: int | None = None

    def start(self) -> None:
        """Start to look."""
        self._thread.start()

    def stop(self) -> None:
        """Stop to look."""
        self._finished.set()
        self._thread.join()

    def _run(self) -> None:
        if self._file is None:
            return
        since = 0.0
        while not self._finished.wait(LOOK_SECONDS):
            pid = stopped_writer(self._file)
            if pid == self.holder:
                continue
            if self.holder is not None:
                self._arena.note(NAME, since, STOPPED_WRITER)
            self.holder, since = pid, time.time() - LOOK_SECONDS


def stopped_writer(file: Path) -> int | None:
    """The process that holds the file's write lock and is stopped; None where there is none."""
    pid = write_lock.holder_of(file)
    try:
        return pid if pid is not None and psutil.Process(pid).status() == psutil.STATUS_STOPPED else None
    except psutil.NoSuchProcess:
        return None


def seconds_held(journal: Journal) -> list[float]:
    """For how long each stopped process held SQLite's write lock. Left out: while maintenance was stopped as well."""
    stopped = (done for done in journal.done if done.fault == NAME)
    return [done.until - done.at for done in stopped if not journal.meets_another(done, (MAINTENANCE_STOPPED,))]
