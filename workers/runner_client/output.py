"""A runner's stdout and stderr: the last 64 KiB are kept for its jobs, and all of it is copied to the worker's log."""

import codecs
import os
import select
import threading
import time
from contextlib import suppress
from io import IncrementalNewlineDecoder

from gradyard.jobs.visible_text import visible
from gradyard.store.dialects import strip_unstorable

KEPT_BYTES = 64 * 1024
COPIED_BYTES = 256 * 1024  # a second, at most; a log of gigabytes is of no use
MOST_READS = 64  # in a row: a runner that writes without end must not block the caller
LOOK_SECONDS = 1.0  # between looks at the pipe of a dead runner whose children still hold it open
_STDERR = 2  # not sys.stderr, which Celery replaces


class Output:
    """The pipe that a runner writes to. A thread always reads it, so that a runner that writes much never waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read_end: int | None = None
        self._kept = bytearray()
        self._truncated = False
        self._log = _WorkerLog()

    def listen(self, read_end: int) -> None:
        """Read from this pipe, the stdout and stderr of a runner, until `finish`."""
        os.set_blocking(read_end, False)
        self._read_end = read_end
        threading.Thread(target=self._follow, args=(read_end,), name="runner output", daemon=True).start()

    def clear(self) -> None:
        """Drop what is kept: a new attempt begins."""
        self._read()
        with self._lock:
            self._kept.clear()
            self._truncated = False

    def add(self, text: str) -> None:
        """Append a text, a traceback say, to what the runner has written until now."""
        self._read()
        with self._lock:
            self._keep(text.encode(errors="replace"))

    def kept(self) -> tuple[str, bool]:
        """The last 64 KiB since `clear`, and whether more was written."""
        self._read()
        with self._lock:
            return strip_unstorable(self._kept.decode(errors="replace")), self._truncated

    def finish(self) -> None:
        """Read what a dead runner has left in the pipe, and stop listening."""
        self._read()
        with self._lock:
            self._read_end = None  # the thread closes it

    def _follow(self, read_end: int) -> None:
        while self._read_end == read_end:
            select.select([read_end], [], [], LOOK_SECONDS)
            self._read(read_end)
        os.close(read_end)

    def _read(self, only: int | None = None) -> None:
        """Empty the pipe. What a runner wrote before it sent a message is in it when the message is received.

        The log has its parts in their order, and all of them once this returns: another thread may have read the last.
        """
        with self._lock:
            data = b"" if only not in (None, self._read_end) else self._drain()
            self._log.write(data)

    def _drain(self) -> bytes:
        drained = bytearray()
        with suppress(BlockingIOError):
            while self._read_end is not None and len(drained) < MOST_READS * KEPT_BYTES:
                data = os.read(self._read_end, KEPT_BYTES)
                if not data:
                    self._read_end = None
                self._keep(data)
                drained += data
        return bytes(drained)

    def _keep(self, data: bytes) -> None:
        self._kept += data
        if len(self._kept) > KEPT_BYTES:
            del self._kept[:-KEPT_BYTES]
            self._truncated = True


class _WorkerLog:
    """The worker's own stderr. It takes `COPIED_BYTES` a second of the runner's output as text, and drops the rest."""

    def __init__(self) -> None:
        self._second, self._written = 0, 0
        self._lines = IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8")("replace"), translate=True)

    def write(self, data: bytes) -> None:
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._written = second, 0
        room = max(0, COPIED_BYTES - self._written)
        self._written += len(data)
        if len(data) > room > 0:
            data = data[:room] + b"\n(the runner writes more than is copied here)\n"
        elif not room:
            data = b""
        with suppress(OSError):
            os.write(_STDERR, visible(self._lines.decode(data)).encode())
