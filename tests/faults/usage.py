"""Memory and file handles of the service's processes during a run, and what is left after it."""

import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from gradyard.jobs.errors import GradyardError
from gradyard.store.database import Database
from tests.faults.arena import is_runner
from tests.faults.fleet import Fleet, command_of

LOOK_SECONDS = 30.0
BUSY_SECONDS = 0.3  # CPU time within one second: a runner that trains uses a whole core
KINDS = {"gunicorn": "API", "workers.runner": "runners", "celery": "workers", "workers.maintenance": "maintenance"}


@dataclass(frozen=True)
class Sample:
    """Memory and open file handles of the process with the most memory, among those of one kind."""

    at: float
    mebibytes: float
    handles: int


# Tables that hold only current rows: where they grow, it is by dead rows.
PRESENT = ("claims", "workers", "bells")


class Usage:
    """Samples of a fleet. Call `look()` as often as you like: it measures every half minute."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._looked_at = 0.0
        self.samples: dict[str, list[Sample]] = defaultdict(list)
        self.dead: list[float] = []

    def look(self) -> None:
        """Measure, where the last measurement is older than `LOOK_SECONDS`."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        greatest: dict[str, Sample] = {}
        processes = self._fleet.processes()
        stayed_behind = {parent for each in processes if (parent := _forked_by(each))}
        for process in processes:
            if process.pid in stayed_behind:
                continue
            kind, sample = _measure(process, now)
            if kind and sample and sample.mebibytes > greatest.get(kind, Sample(0, 0, 0)).mebibytes:
                greatest[kind] = sample
        for kind, sample in greatest.items():
            self.samples[kind].append(sample)
        with suppress(GradyardError):
            self.dead.append(_dead_mebibytes(self._fleet.database))

    def after_rest(self) -> None:
        """Measure now: the service has nothing left to do."""
        self._looked_at = 0.0
        self.look()

    def lines(self) -> list[str]:
        """One line for each kind of process: memory and handles in the first and in the last third of the run."""
        lines = []
        for kind, samples in sorted(self.samples.items()):
            third = max(1, len(samples) // 3)
            first, last = samples[:third], samples[-third:]
            memory = [np.median([each.mebibytes for each in part]) for part in (first, last)]
            handles = [int(np.median([each.handles for each in part])) for part in (first, last)]
            lines.append(f"{kind}: {memory[0]:.0f} -> {memory[1]:.0f} MiB, {handles[0]} -> {handles[1]} handles")
        third = max(1, len(self.dead) // 3)
        bloat = [np.median(part) for part in (self.dead[:third], self.dead[-third:])] if self.dead else [0.0, 0.0]
        return [*lines, f"bloat of the database: {bloat[0]:.1f} -> {bloat[1]:.1f} MiB"]

    def runners_without_a_job(self) -> list[str]:
        """One line for each runner that still computes after every job has ended."""
        runners = [each for each in self._fleet.processes() if is_runner(each)]
        before = {each: _cpu_seconds(each) for each in runners}
        time.sleep(1.0)
        return [
            f"runner {each.pid} trains, but no job is claimed" for each in runners
            if _cpu_seconds(each) - before[each] > BUSY_SECONDS
        ]  # fmt: skip

    def left_behind(self) -> list[str]:
        """One line for each process and temporary file that is left after the service was stopped."""
        left = [
            f"process {each.pid} still runs: {' '.join(command_of(each))[:120]}" for each in self._fleet.processes()
        ]
        files = (path for path in self._fleet.scratch.rglob("*") if path.is_file() and not may_stay(path))
        return left + [f"{path} was left behind" for path in files]


def may_stay(path: Path) -> bool:
    """Whether a file in the folder for temporary files may be there after the service was stopped: what slots keep.

    SQLite opens a temporary file and removes its name at once: of a process that was killed between the two an empty
    one stays.
    """
    is_of_sqlite = path.name.startswith("etilqs_") and path.stat().st_size == 0
    return is_of_sqlite or path.suffix in (".lock", ".restarted", ".rounds")


def _forked_by(process: psutil.Process) -> int | None:
    """The pid of the process that forked this one, and does no work of a job; None where another program did."""
    with suppress(psutil.Error):
        parent = process.parent()
        if parent is not None and command_of(parent) == command_of(process):
            return parent.pid
    return None


def _cpu_seconds(process: psutil.Process) -> float:
    with suppress(psutil.Error):
        return sum(process.cpu_times()[:2])
    return 0.0


def _dead_mebibytes(database: Database) -> float:
    """The size of the tables that hold only current rows (PostgreSQL), or of the free pages (SQLite), in MiB."""
    with database.read() as connection:
        if database.is_sqlite:
            pages, size = (
                connection.exec_driver_sql(f"PRAGMA {what}").scalar() for what in ("freelist_count", "page_size")
            )
            return float(pages or 0) * float(size or 0) / 2**20
        sizes = ", ".join(f"pg_total_relation_size('{table}')" for table in PRESENT)
        return sum(connection.exec_driver_sql(f"SELECT {sizes}").one()) / 2**20


def _measure(process: psutil.Process, now: float) -> tuple[str | None, Sample | None]:
    words = " ".join(command_of(process))
    kind = next((kind for word, kind in KINDS.items() if word in words and "tether.py" not in words), None)
    try:
        return kind, Sample(now, process.memory_info().rss / 2**20, process.num_fds())
    except psutil.Error:
        return kind, None
