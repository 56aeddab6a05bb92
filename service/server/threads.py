"""The threads that answer requests: as many as work at once, and one more for each request that only waits."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from waitress.task import ThreadedTaskDispatcher


class Threads(ThreadedTaskDispatcher):  # type: ignore[misc]  # Waitress has no types
    """Starts a thread when a request finds none free, up to `most` and those that are lent."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most
        self._changing = Lock()  # around each decision about the number of threads

    def add_task(self, task: object) -> None:
        """Have a thread answer. It waits for a free one where all are busy that there may be."""
        with self._changing:
            running, free, waiting = self._counted()
            if waiting >= free and running < self._most:
                self.set_thread_count(running + 1)
        super().add_task(task)

    @contextmanager
    def lend(self) -> Iterator[None]:
        """Let another thread take the place of the present one, which only waits."""
        self._change(1)
        try:
            yield
        finally:
            self._change(-1)

    def _change(self, by: int) -> None:
        with self._changing:
            self._most += by
            running, free, waiting = self._counted()
            if running > self._most:
                self.set_thread_count(self._most)
            elif waiting > free and running < self._most:
                self.set_thread_count(running + 1)

    def _counted(self) -> tuple[int, int, int]:
        """How many threads there are, how many of them are free, and how many requests wait for one."""
        with self.lock:
            running = len(self.threads) - self.stop_count
            return running, running - self.active_count, len(self.queue)
