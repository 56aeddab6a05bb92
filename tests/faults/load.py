"""Keeps the service busy: short jobs of two projects, a few long ones in flight, lives, pipelines, visitors beside."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle

from tests.faults import lives, pipelines
from tests.faults.access import Access
from tests.faults.client import LoggingClient, RequestLog
from tests.faults.lives import Lives
from tests.faults.orders import Order, OrderBook
from tests.faults.pipelines import Pipelines
from tests.faults.visitors import Visitors

LONG_IN_FLIGHT = 3
MOST_UNFINISHED = 192  # with more a slow host comes to long jobs after minutes
LIFE_PAUSE_SECONDS = 4.0


@dataclass(frozen=True)
class Amount:
    """The number of short jobs, the most long jobs, and over how many seconds they are spread.

    waiting: of jobs that no worker can take. life_steps: of the jobs that are cancelled, retried and deleted; 0: none.
    link_steps: of the jobs of pipelines; 0: none.
    """

    short: int
    long: int
    seconds: float
    waiting: int = 0
    life_steps: int = 0
    link_steps: int = 0


def counted(amount: Amount, log: RequestLog) -> dict[str, int]:
    """How often each part of whole lives and of pipelines went as promised, as far as the load has them."""
    of_lives = lives.counted(log) if amount.life_steps else {}
    return of_lives | (pipelines.counted(log) if amount.link_steps else {})


class Load:
    """Threads: one submits short jobs evenly, one a long job whenever one has ended, two lead lives and pipelines.

    unfinished: how many of its short and long jobs wait or run; None where the database does not answer.
    """

    def __init__(
        self, url: str, log: RequestLog, book: OrderBook, amount: Amount, projects: tuple[Access, Access],
        unfinished: Callable[[], int | None],
    ) -> None:  # fmt: skip
        self._unfinished = unfinished
        self._amount, self._projects = amount, projects
        self._short = [book.short() for _ in range(amount.short)]
        self._long = [book.long() for _ in range(amount.long)]
        self.orders: list[Order] = [*self._short, *self._long]
        self._url, self._log, self._book = url, log, book
        self._finished, self._visitors = threading.Event(), Visitors(url, projects[0])
        self._threads = [threading.Thread(target=self._guarded, args=(work,)) for work in (self._feed, self._keep)]
        endless = [work for work, steps in ((self._live, amount.life_steps), (self._link, amount.link_steps)) if steps]
        self._endless = [threading.Thread(target=self._guarded, args=(work,)) for work in endless]
        self.failure: BaseException | None = None
        self._fed = 0
        self._lock = threading.Lock()

    def secrets(self) -> dict[str, str]:
        """The keys of its projects, and the secrets of its visitors, by names for people."""
        keys = {f"the key of the project {each.project}": each.key for each in self._projects}
        return keys | self._visitors.secrets

    def start(self) -> None:
        """Make the secrets of the visitors, and start all threads."""
        self._visitors.start()
        for thread in [*self._threads, *self._endless]:
            thread.start()

    def is_done(self) -> bool:
        """Whether everything planned was submitted."""
        return not any(thread.is_alive() for thread in self._threads)

    def submitted(self) -> str:
        """How many of the planned short jobs were submitted, in words."""
        return f"{self._fed:,} of {len(self._short):,} short jobs were submitted"

    def more_long_work(self) -> None:
        """Submit a long job beyond the plan, for faults that still need a job to hit."""
        client = LoggingClient(self._url, self._log)
        with self._lock:
            order = self._book.long()
            self.orders.append(order)
        try:
            client.submit(order)
        finally:
            client.close()

    def stop(self) -> None:
        """Submit nothing more."""
        self._finished.set()
        for thread in [*self._threads, *self._endless]:
            thread.join()
        self._visitors.stop()

    def _guarded(self, work: Callable[[LoggingClient, LoggingClient], None]) -> None:
        one, other = (LoggingClient(self._url, self._log, access) for access in self._projects)
        try:
            work(one, other)
        except BaseException as error:
            self.failure = error
        finally:
            one.close()
            other.close()

    def _live(self, one: LoggingClient, other: LoggingClient) -> None:
        of_each = cycle(
            Lives(own, stranger, self._book, self._amount.life_steps, self._finished)
            for own, stranger in ((one, other), (other, one))
        )
        for each in of_each:
            each.of_a_batch()
            each.of_a_job()
            if self._finished.wait(LIFE_PAUSE_SECONDS):
                return

    def _link(self, one: LoggingClient, other: LoggingClient) -> None:
        steps = self._amount.link_steps
        for each in cycle(Pipelines(own, self._book, steps, self._finished) for own in (one, other)):
            each.lead()
            if self._finished.wait(LIFE_PAUSE_SECONDS):
                return

    def _feed(self, one: LoggingClient, other: LoggingClient) -> None:
        pause = self._amount.seconds / max(1, len(self._short))
        due = time.monotonic()
        for client, order in zip(cycle((one, other)), self._short, strict=False):
            client.submit(order)
            self._fed += 1
            due += pause
            if self._finished.wait(max(0.0, due - time.monotonic())):
                return
            while (self._unfinished() or 0) > MOST_UNFINISHED:
                if self._finished.wait(0.5):
                    return

    def _keep(self, client: LoggingClient, _: LoggingClient) -> None:
        in_flight: list[str] = []
        until = time.monotonic() + self._amount.seconds  # a job that is hit again and again takes minutes
        for order in self._long:
            if time.monotonic() > until:
                return
            in_flight.append(client.submit(order))
            while len(in_flight) >= LONG_IN_FLIGHT:
                if self._finished.wait(0.5):
                    return
                in_flight = [job for job in in_flight if not self._is_over(client, job)]

    @staticmethod
    def _is_over(client: LoggingClient, job_id: str) -> bool:
        job = client.job(job_id)
        return job is not None and job["state"] not in ("queued", "running")
