"""Keeps the service busy: short jobs are spread over the run, and a few long ones are always in flight."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.client import LoggingClient, RequestLog
from tests.faults.orders import Order, OrderBook

LONG_IN_FLIGHT = 3


@dataclass(frozen=True)
class Amount:
    """The number of short jobs, the most long jobs, and over how many seconds they are spread."""

    short: int
    long: int
    seconds: float


class Load:
    """Two threads: one submits the short jobs evenly, one submits a long job whenever one has ended."""

    def __init__(self, url: str, log: RequestLog, book: OrderBook, amount: Amount) -> None:
        self._amount = amount
        self._short = [book.short() for _ in range(amount.short)]
        self._long = [book.long() for _ in range(amount.long)]
        self.orders: list[Order] = [*self._short, *self._long]
        self._url, self._log, self._book = url, log, book
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._guarded, args=(work,)) for work in (self._feed, self._keep)]
        self.failure: BaseException | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start both threads."""
        for thread in self._threads:
            thread.start()

    def is_done(self) -> bool:
        """Whether everything planned was submitted."""
        return not any(thread.is_alive() for thread in self._threads)

    def more_long_work(self) -> None:
        """Submit a long job beyond the plan, for faults that still need a job to hit."""
        client = LoggingClient(self._url, self._log)
        with self._lock:
            order = self._book.long()
            self.orders.append(order)
        client.submit(order)
        client.close()

    def stop(self) -> None:
        """Submit nothing more."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _guarded(self, work: Callable[[LoggingClient], None]) -> None:
        client = LoggingClient(self._url, self._log)
        try:
            work(client)
        except BaseException as error:
            self.failure = error
        finally:
            client.close()

    def _feed(self, client: LoggingClient) -> None:
        pause = self._amount.seconds / max(1, len(self._short))
        due = time.monotonic()
        for order in self._short:
            client.submit(order)
            due += pause
            if self._over.wait(max(0.0, due - time.monotonic())):
                return

    def _keep(self, client: LoggingClient) -> None:
        in_flight: list[str] = []
        until = time.monotonic() + self._amount.seconds  # a job that is hit again and again takes minutes
        for order in self._long:
            if time.monotonic() > until:
                return
            in_flight.append(client.submit(order))
            while len(in_flight) >= LONG_IN_FLIGHT:
                if self._over.wait(0.5):
                    return
                in_flight = [job for job in in_flight if not self._is_over(client, job)]

    @staticmethod
    def _is_over(client: LoggingClient, job_id: str) -> bool:
        job = client.job(job_id)
        return job is not None and job["state"] not in ("queued", "running")
