"""A request waits for a job to end, holding nothing meanwhile but its thread."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from gradyard.jobs.states import FINISHED
from gradyard.store import queries
from gradyard.store.database import Database
from service.http.errors import TooManyWaiting

# A look costs about 0.1 ms. Waiting longer makes the looks rarer: an answer comes at most 1% (and 1 ms) late.
SHORTEST_SLEEP_SECONDS, LONGEST_SLEEP_SECONDS = 0.001, 0.1
CANCEL_SECONDS = 0.7  # a worker has this long to let go of a cancelled job; then the service moves it


def finishes_within(database: Database, project_id: int, job_id: UUID, seconds: float) -> bool:
    """Whether the project's job ends (or is gone) within so many seconds; each look is a short read of its own."""
    begin = time.monotonic()
    while True:
        with database.read() as connection:
            state = queries.state_of(connection, project_id, job_id)
        waited = time.monotonic() - begin
        if state is None or state in FINISHED:
            return True
        if waited >= seconds:
            return False
        time.sleep(min(max(0.01 * waited, SHORTEST_SLEEP_SECONDS), LONGEST_SLEEP_SECONDS, seconds - waited))


class WaitingRoom:
    """Room for so many waiting requests: each holds a thread, and some threads must stay free for all the others."""

    def __init__(self, database: Database, seats: int) -> None:
        self._database = database
        self._seats = threading.BoundedSemaphore(seats)
        self._most = seats

    def wait_for_end(self, project_id: int, job_id: UUID, seconds: float) -> None:
        """Return once the job is over, after `seconds` at the latest; TooManyWaiting at once where no seat is free."""
        with self._seat():
            finishes_within(self._database, project_id, job_id, seconds)

    @contextmanager
    def _seat(self) -> Iterator[None]:
        if not self._seats.acquire(blocking=False):
            raise TooManyWaiting(f"{self._most} requests are waiting already; ask again without wait, or later")
        try:
            yield
        finally:
            self._seats.release()
