"""Requests that wait for the end of a job. A waiting request holds its thread and nothing else."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from uuid import UUID

from service.http.errors import TooManyWaiting
from service.live.watcher import Watcher


class WaitingRoom:
    """A limit on waiting requests.

    `lend`: entered while a request waits, so that the server may have another thread answer in its place.
    """

    def __init__(self, watcher: Watcher, places: int) -> None:
        self.lend: Callable[[], AbstractContextManager[None]] = nullcontext
        self._watcher = watcher
        self._places = threading.BoundedSemaphore(places)
        self._most = places

    def wait_for_end(self, project_id: int, job_id: UUID, seconds: float) -> None:
        """Return when the job is finished, or after `seconds`. Raises TooManyWaiting where the limit is reached."""
        with self._place(), self.lend():
            self._watcher.jobs_end(project_id, [job_id], seconds)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise TooManyWaiting(f"{self._most} requests are waiting already; try later, or without `wait`")
        try:
            yield
        finally:
            self._places.release()
