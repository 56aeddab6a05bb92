"""Requests that wait for the end of a job. A waiting request holds its thread and nothing else."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from flask import request

from gradyard.jobs.states import FINISHED
from gradyard.store import queries
from gradyard.store.database import Database
from service.http.errors import TooManyWaiting

# A poll costs about 0.1 ms. The longer a request waits, the rarer its polls: an answer is at most 1% and 1 ms late.
SHORTEST_SLEEP_SECONDS, LONGEST_SLEEP_SECONDS = 0.001, 0.1
CANCEL_SECONDS = 0.7  # a worker has this long to let go of a cancelled job; then the service moves it


def finishes_within(database: Database, project_id: int, job_id: UUID, seconds: float) -> bool:
    """Whether the project's job finishes, or is deleted, within so many seconds. Each poll is a short transaction."""
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


def client_has_left() -> bool:
    """Whether the client of this request closed its connection. Work that only the answer would tell of may stop then.

    False where the server does not hand on the connection.
    """
    connection: socket.socket | None = request.environ.get("gunicorn.socket")
    if connection is None:
        return False
    try:
        return not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False  # it is open, and has sent nothing more
    except OSError:
        return True


class WaitingRoom:
    """A limit on waiting requests: each holds a thread, and other requests need free threads."""

    def __init__(self, database: Database, places: int) -> None:
        self._database = database
        self._places = threading.BoundedSemaphore(places)
        self._most = places

    def wait_for_end(self, project_id: int, job_id: UUID, seconds: float) -> None:
        """Return when the job is finished, or after `seconds`. Raises TooManyWaiting where the limit is reached."""
        with self._place():
            finishes_within(self._database, project_id, job_id, seconds)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise TooManyWaiting(f"{self._most} requests are waiting already; try later, or without `wait`")
        try:
            yield
        finally:
            self._places.release()
