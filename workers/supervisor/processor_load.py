"""The load of a CPU slot: what its processes, the worker and its runner, use of the machine."""

import time
from collections.abc import Callable

import psutil

from workers.pool.gpus.inventory import Health


class ProcessorLoad:
    """Reads the processor time and the memory of some processes.

    processes: a function that returns their pids; None among them stands for a process that does not live.
    """

    def __init__(self, processes: Callable[[], tuple[int | None, ...]]) -> None:
        self._processes = processes
        self._seconds: dict[int, float] = {}  # of each process, as of the last reading
        self._read_at = time.monotonic()

    def health(self) -> Health:
        """Percent of one core since the last reading (more than 100: on several cores), and MiB of memory in use."""
        now, before = time.monotonic(), self._seconds
        self._seconds, memory = {}, 0
        for pid in self._processes():
            if pid is None:
                continue
            try:
                process = psutil.Process(pid)
                used = process.cpu_times()
                memory += process.memory_info().rss
            except psutil.Error:  # it ended a moment ago
                continue
            self._seconds[pid] = used.user + used.system
        spent = sum(seconds - before.get(pid, 0.0) for pid, seconds in self._seconds.items())
        elapsed, self._read_at = now - self._read_at, now
        return Health(100.0 * spent / elapsed if before and elapsed > 0 else None, None, round(memory / 2**20))
