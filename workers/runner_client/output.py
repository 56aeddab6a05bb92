"""What a runner writes to its stdout and stderr: the last of it is kept for its jobs, and it goes on to our own log."""

import os
import select
import threading
import time
from contextlib import suppress

from gradyard.store.database import strip_unstorable

KEPT_BYTES = 64 * 1024
PASSED_ON_BYTES = 256 * 1024  # in a second; of a gigabyte nobody reads more
MOST_READS = 64  # in a row: somebody who never stops talking must not hold the one who only asks what was said
LOOK_SECONDS = 1.0  # for the pipe of a dead runner whose children still hold it open
_STDERR = 2  # not sys.stderr, which Celery replaces


class Output:
    """The pipe that a runner writes into. A thread reads it always, so that a runner that talks much never waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read_end: int | None = None
        self._kept = bytearray()
        self._truncated = False
        self._log = _Log()

    def listen(self, read_end: int) -> None:
        """From now on to a runner whose stdout and stderr go into the pipe that ends here."""
        os.set_blocking(read_end, False)
        self._read_end = read_end
        threading.Thread(target=self._follow, args=(read_end,), name="runner output", daemon=True).start()

    def forget(self) -> None:
        """A new attempt begins: what was said before is none of its own."""
        self._read()
        with self._lock:
            self._kept.clear()
            self._truncated = False

    def add(self, text: str) -> None:
        """More that belongs to what was said, after all that the runner wrote until now: a traceback."""
        self._read()
        with self._lock:
            self._keep(text.encode(errors="replace"))

    def said(self) -> tuple[str, bool]:
        """The last 64 KiB of the present attempt, and whether there was more."""
        self._read()
        with self._lock:
            return strip_unstorable(self._kept.decode(errors="replace")), self._truncated

    def finish(self) -> None:
        """The runner is dead: take its last words, and listen no longer."""
        self._read()
        with self._lock:
            self._read_end = None  # the thread closes it

    def _follow(self, read_end: int) -> None:
        while self._read_end == read_end:
            select.select([read_end], [], [], LOOK_SECONDS)
            self._read(read_end)
        os.close(read_end)

    def _read(self, only: int | None = None) -> None:
        """Take what lies in the pipe. Whatever a runner wrote before it sent a frame is there when the frame is."""
        with self._lock:
            read = b"" if only not in (None, self._read_end) else self._drain()
        self._log.write(read)

    def _drain(self) -> bytes:
        read = bytearray()
        with suppress(BlockingIOError):
            while self._read_end is not None and len(read) < MOST_READS * KEPT_BYTES:
                data = os.read(self._read_end, KEPT_BYTES)
                if not data:
                    self._read_end = None
                self._keep(data)
                read += data
        return bytes(read)

    def _keep(self, data: bytes) -> None:
        self._kept += data
        if len(self._kept) > KEPT_BYTES:
            del self._kept[:-KEPT_BYTES]
            self._truncated = True


class _Log:
    """The worker's own log, where the runner's words stand as if it had written them there itself, up to a measure."""

    def __init__(self) -> None:
        self._second, self._written = 0, 0

    def write(self, data: bytes) -> None:
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._written = second, 0
        room = max(0, PASSED_ON_BYTES - self._written)
        self._written += len(data)
        if len(data) > room > 0:
            data = data[:room] + b"\n(the runner says more than is shown here)\n"
        elif not room:
            data = b""
        with suppress(OSError):
            os.write(_STDERR, data)
