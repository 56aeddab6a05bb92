"""What a runner writes to its stdout and stderr: the last of it is kept for its jobs, all of it goes on to ours."""

import os
import sys
import threading

KEPT_BYTES = 64 * 1024


class Output:
    """The pipe that a runner writes into. It is always read, so that a runner that talks much never waits for us."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept = bytearray()
        self._truncated = False
        self._reader: threading.Thread | None = None

    def open(self) -> int:
        """The file descriptor for a new runner's stdout and stderr; close it once the runner has it."""
        read_end, write_end = os.pipe()
        self._reader = threading.Thread(target=self._read, args=(read_end,), name="runner output", daemon=True)
        self._reader.start()
        return write_end

    def forget(self) -> None:
        """A new attempt begins: what was said before is none of its own."""
        with self._lock:
            self._kept.clear()
            self._truncated = False

    def add(self, text: str) -> None:
        """More that belongs to what was said, such as a traceback."""
        self._take(text.encode(errors="replace"))

    def finish(self, seconds: float = 1.0) -> None:
        """The runner is dead: wait until its last words are read."""
        if self._reader is not None:
            self._reader.join(seconds)

    def said(self) -> tuple[str, bool]:
        """The last 64 KiB of the present attempt, without NUL, which no database takes; and whether there was more."""
        with self._lock:
            return self._kept.decode(errors="replace").replace("\0", ""), self._truncated

    def _read(self, read_end: int) -> None:
        with os.fdopen(read_end, "rb", buffering=0) as pipe:
            while data := pipe.read(KEPT_BYTES):
                self._take(data)
                sys.stderr.buffer.write(data)  # the worker's own log
                sys.stderr.buffer.flush()

    def _take(self, data: bytes) -> None:
        with self._lock:
            self._kept += data
            if len(self._kept) > KEPT_BYTES:
                del self._kept[:-KEPT_BYTES]
                self._truncated = True
