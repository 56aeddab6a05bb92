"""What every fault needs: the fleet, somebody to look, somebody to submit, and a journal of what was done."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

import psutil

from tests.faults.client import LoggingClient, RequestLog
from tests.faults.fleet import Fleet, Host, command_of
from tests.faults.orders import Order, OrderBook
from tests.faults.watch import Busy, Watch

Members = tuple[tuple[UUID, int], ...]


@dataclass(frozen=True)
class Form:
    """How hard it is: the small one for every test run, the full one before landing."""

    lease_seconds: float
    redis_frozen_seconds: float
    database_away_seconds: float
    pack: int
    victim_steps: int


@dataclass(frozen=True)
class Done:
    """One fault that was inflicted; whether it bit is for the checker to find in rows and requests."""

    fault: str
    at: float  # seconds since 1970
    until: float
    what: str
    members: Members = ()
    jobs: tuple[str, ...] = ()
    worker: str = ""  # the slot that was hit, as events name it
    dead: tuple[str, ...] = ()  # slots whose worker process ended meanwhile


@dataclass
class Arena:
    """Shared by the lanes of one run; `done` grows."""

    fleet: Fleet
    watch: Watch
    book: OrderBook
    log: RequestLog
    random: Random
    form: Form
    over: threading.Event = field(default_factory=threading.Event)
    done: list[Done] = field(default_factory=list)
    extra: list[Order] = field(default_factory=list)
    spared: set[int] = field(default_factory=set)  # pids of workers that are being hurt already
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(
        self, fault: str, at: float, what: str, jobs: tuple[str, ...] = (), busy: Busy | None = None,
        dead: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        """Enter a fault in the journal; `busy` is the worker that it hit."""
        members, worker = (busy.members, busy.worker) if busy else ((), "")
        with self.lock:
            self.done.append(Done(fault, at, time.time(), what, members, jobs, worker, dead))

    def pause(self, least: float, most: float) -> None:
        """Wait, unless the run is over."""
        self.over.wait(self.random.uniform(least, most))

    def until(self, what: Callable[[], bool], seconds: float) -> bool:
        """Whether it became true in that time; looks ten times a second."""
        give_up_at = time.monotonic() + seconds
        while not what():
            if time.monotonic() > give_up_at or self.over.is_set():
                return False
            time.sleep(0.1)
        return True

    def submit(self, *orders: Order) -> list[str]:
        """Submit orders beyond the plan; their ids."""
        client = LoggingClient(self.fleet.url, self.log)
        try:
            with self.lock:
                self.extra += orders
            return [client.submit(order) for order in orders]
        finally:
            client.close()

    def target(self, *, alone: bool = True) -> Busy | None:
        """A worker to hurt that nothing else hurts, whose job will not be blamed for it; recorded work is preferred."""
        fit = [b for b in self.watch.busy() if b.unblamed and not b.names and b.pid not in self.spared]
        fit = [b for b in fit if b.width == 1] if alone else fit
        recorded = [b for b in fit if b.recorded]
        if recorded and self.random.random() < 0.8:
            fit = recorded
        return self.random.choice(fit) if fit else None

    def host_of(self, busy: Busy) -> Host:
        """The host of a worker."""
        return next((host for host in self.fleet.hosts if host.name == busy.host), self.fleet.hosts[0])

    @contextmanager
    def alone_with(self, busy: Busy) -> Iterator[None]:
        """No other fault picks this worker meanwhile."""
        self.spared.add(busy.pid)
        try:
            yield
        finally:
            self.spared.discard(busy.pid)


def worker_processes(busy: Busy) -> list[psutil.Process]:
    """Of one slot: Celery's main process, the child that supervises, and the runner."""
    try:
        child = psutil.Process(busy.pid)
        main = child.parent()
        return [each for each in (main, child, *child.children(recursive=True)) if each is not None]
    except psutil.NoSuchProcess:
        return []


def runner_of(busy: Busy) -> psutil.Process | None:
    """The runner of a worker that trains; its spare does not."""
    return next((each for each in worker_processes(busy) if is_runner(each)), None)


def is_runner(process: psutil.Process) -> bool:
    """Whether this one may train: a spare is called otherwise until it is needed."""
    words = command_of(process)
    try:
        return "workers.runner" in words and ("--spare" not in words or process.name() == "gradyard-runner")
    except psutil.NoSuchProcess:
        return False
