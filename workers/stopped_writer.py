"""Ends a process of this host that stopped in the middle of a write to SQLite: everything else waits for it.

SQLite has one write lock, and a stopped process (SIGSTOP, Ctrl-Z) keeps it until it goes on. PostgreSQL ends such a
transaction by itself (`SILENT_TRANSACTION_SECONDS`). Nothing is lost: the next writer rolls the transaction back, the
process is started again by its pool, and its jobs go on from their last records.
"""

import os
import signal
import threading
from pathlib import Path

import psutil
import structlog

from gradyard.store.upkeep import write_lock

log = structlog.get_logger()

LOOK_SECONDS = 0.5
PART_OF_LEASE = 1 / 8
"""So that the other workers renew their leases in time, and no round of maintenance that waited for the lock looks like
a leap of the clock (`workers/clock_watch.py`): for a whole lease after one, no other lease is ended."""


class StoppedWriter:
    """Looks at the holder of the file's write lock, and ends one that stays stopped for an eighth of a lease."""

    def __init__(self, file: Path, lease_seconds: float) -> None:
        self._file, self._seconds = file, lease_seconds * PART_OF_LEASE
        self._seen: tuple[object, ...] | None = None
        self._looks = 0

    def watch(self) -> None:
        """Look for as long as this process lives, on a thread that uses no database."""
        threading.Thread(target=self._run, name="stopped writer", daemon=True).start()

    def look(self) -> bool:
        """Look once; to be called every `LOOK_SECONDS`. Whether a process was ended.

        It counts looks, not time: where this process stopped as well, the other may just be about to go on.
        """
        pid = write_lock.holder_of(self._file)
        seen = None if pid is None else _stopped(pid)
        self._looks = self._looks + 1 if seen is not None and seen == self._seen else 0
        self._seen = seen
        if pid is None or seen is None or self._looks * LOOK_SECONDS < self._seconds:
            return False
        log.error("a stopped process held the write lock of the database; it was ended", pid=pid, seconds=self._seconds)
        os.kill(pid, signal.SIGKILL)
        return True

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(LOOK_SECONDS):
            try:
                self.look()
            except OSError as error:  # another user's, or it has ended by itself
                log.warning("a stopped process holds the write lock of the database", error=str(error))


def _stopped(pid: int) -> tuple[object, ...] | None:
    """What stays the same for as long as a process is stopped; None for one that is not stopped."""
    try:
        process = psutil.Process(pid)
        times = process.cpu_times()
        stopped = process.status() == psutil.STATUS_STOPPED
        return (pid, process.create_time(), times.user, times.system) if stopped else None
    except psutil.Error:
        return None
