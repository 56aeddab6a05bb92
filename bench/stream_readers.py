"""Many connections that are read in one thread, to see when each of them was told something."""

import selectors
import socket
import threading
import time
from contextlib import ExitStack

KEPT_BYTES = 1024  # of what came before: words may come in two parts
LONGEST_SECONDS = 120.0


class StreamReaders:
    """Takes what comes on the connections that are added."""

    def __init__(self, opened: ExitStack) -> None:
        self._selector, self._ends = selectors.DefaultSelector(), threading.Event()
        self._changed, self._wanted = threading.Condition(), b""
        self._seen, self._tails = dict[int, float](), dict[int, bytes]()
        thread = threading.Thread(target=self._run, daemon=True)
        thread.start()
        opened.callback(thread.join)
        opened.callback(self._ends.set)

    def add(self, connection: socket.socket) -> None:
        """Read from this connection as well."""
        connection.setblocking(False)
        self._selector.register(connection, selectors.EVENT_READ)

    def expect(self, words: bytes) -> None:
        """Note from now on when each connection is told these words."""
        with self._changed:
            self._wanted = words
            self._seen.clear()
            self._tails.clear()

    def told(self, connections: int) -> list[float]:
        """When so many connections were told the expected words, by `time.perf_counter`, the first one first."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._seen) >= connections, LONGEST_SECONDS), len(self._seen)
            return sorted(self._seen.values())

    def _run(self) -> None:
        while not self._ends.is_set():
            if not self._selector.get_map():
                time.sleep(0.01)
                continue
            for key, _ in self._selector.select(0.1):
                self._take(key.fd, key.fileobj.recv(65536))  # type: ignore[union-attr]
            with self._changed:
                self._changed.notify_all()

    def _take(self, number: int, data: bytes) -> None:
        with self._changed:
            whole = self._tails.get(number, b"") + data
            if self._wanted and self._wanted in whole:
                self._seen.setdefault(number, time.perf_counter())
            self._tails[number] = whole[-KEPT_BYTES:]
