"""How long requests take, by method, route and kind of status: noted here, and added to the database now and then.

The database adds up what all processes of the API count, so each of them shows the same in `/metrics`, and a restart
loses the last seconds alone.
"""

import threading
from collections import defaultdict, deque
from http import HTTPStatus
from typing import NamedTuple

from gradyard.jobs.errors import GradyardError
from gradyard.jobs.fleet import FleetCounter
from gradyard.store import fleet
from gradyard.store.database import Database

WRITE_SECONDS = 5.0
LONGEST_WRITE_SECONDS = 2.0  # that an end waits for
MOST_NOTED = 100_000  # while nothing can be written
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER, NO_ROUTE = "OTHER", "none"  # senders choose methods and paths: without these, every word would be a series


class Answered(NamedTuple):
    """A request that was answered. route: as `/v1/jobs/<job_id>`; None: there is no such route."""

    method: str
    route: str | None
    status: int
    seconds: float


class RequestTimes:
    """The requests of this process: append to `noted`. From `start` on a thread of its own writes them down."""

    def __init__(self, database: Database) -> None:
        self.noted: deque[Answered] = deque(maxlen=MOST_NOTED)  # threads append to a deque without a lock
        self._database = database
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep_writing, name="write request times", daemon=True)

    def start(self) -> None:
        """Write every few seconds, until `close`."""
        self._thread.start()

    def write(self) -> None:
        """Add what was noted to the database; where it cannot take it, keep it for the next time."""
        taken = [self.noted.popleft() for _ in range(len(self.noted))]
        seconds: defaultdict[str, list[float]] = defaultdict(list)
        for each in taken:
            seconds[_kind(each)].append(each.seconds)
        if not taken:
            return
        try:
            with self._database.begin() as connection:
                for kind in sorted(seconds):  # in one order, so that two processes never wait for each other
                    fleet.count(connection, kind, dict(sorted(fleet.REQUESTS.counts(seconds[kind]).items())))
                unauthorized = sum(each.status == HTTPStatus.UNAUTHORIZED for each in taken)
                fleet.count(connection, "api", {FleetCounter.UNAUTHORIZED_REQUESTS: unauthorized})
        except GradyardError:
            self.noted.extend(taken)

    def close(self) -> None:
        """Write no more. What is being written is waited for: it has a connection, which could not be closed."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=LONGEST_WRITE_SECONDS)

    def _keep_writing(self) -> None:
        while not self._stop.wait(WRITE_SECONDS):
            self.write()


def _kind(answered: Answered) -> str:
    method = answered.method if answered.method in METHODS else OTHER
    return f"{method} {answered.route or NO_ROUTE} {answered.status // 100}xx"
