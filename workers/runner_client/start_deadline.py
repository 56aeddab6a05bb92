"""How long a runner may take until its hello. Torch is large: a cold or distant disk gives it after minutes."""

import time
from contextlib import suppress

import psutil

START_SECONDS = 120.0  # of a runner that reads nothing from its disk
LONGEST_START_SECONDS = 900.0


class StartDeadline:
    """The time of one start. A runner that still reads from its disk gets more, up to `LONGEST_START_SECONDS`."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._began = self._read_at = time.monotonic()
        self._bytes = 0

    def is_over(self) -> bool:
        """Whether to give the runner up. To be asked again and again."""
        now, read = time.monotonic(), self._bytes_read()
        if read != self._bytes:
            self._bytes, self._read_at = read, now
        return now - self._read_at > START_SECONDS or now - self._began > LONGEST_START_SECONDS

    def __str__(self) -> str:
        seconds = time.monotonic() - self._began
        return f"it did not start within {seconds:.0f} s, and read {self._bytes / 2**20:.0f} MiB from its disk"

    def _bytes_read(self) -> int:
        with suppress(psutil.Error, AttributeError):  # macOS does not tell
            return int(psutil.Process(self._pid).io_counters().read_bytes)
        return self._bytes
