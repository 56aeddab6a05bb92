"""What every fault needs: the fleet, the watch over its jobs, a way to submit, and a journal of inflicted faults."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

import psutil

from tests.faults.client import LoggingClient, RequestLog
from tests.faults.fleet import Fleet, Host
from tests.faults.orders import Order, OrderBook
from tests.faults.watch import Busy, Watch

RECORDS_SECONDS = 15.0  # within which a worker that no fault hits has recorded something
Members = tuple[tuple[UUID, int], ...]


@dataclass(frozen=True)
class Form:
    """How hard a run is: the small form is for every test run, the full one for changes of the lifecycle."""

    lease_seconds: float
    redis_frozen_seconds: float
    database_away_seconds: float
    pack: int
    victim_steps: int
    early: bool = True  # whether attempts are hit that have recorded nothing yet
    rests: bool = False  # whether jobs that must run for seconds rest between two steps


@dataclass(frozen=True)
class Done:
    """One inflicted fault. Whether it did harm is decided later, from rows and requests (`bites`)."""

    fault: str
    at: float  # seconds since 1970
    until: float
    what: str
    members: Members = ()
    jobs: tuple[str, ...] = ()
    worker: str = ""  # the slot that was hit, named as in events
    dead: tuple[str, ...] = ()  # slots whose worker process ended during the fault


@dataclass
class Arena:
    """Shared by the lanes of one run. Each fault adds itself to `done`."""

    fleet: Fleet
    watch: Watch
    book: OrderBook
    log: RequestLog
    random: Random
    form: Form
    finished: threading.Event = field(default_factory=threading.Event)
    done: list[Done] = field(default_factory=list)
    extra: list[Order] = field(default_factory=list)
    spared: set[int] = field(default_factory=set)  # pids of workers that another fault is hitting
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(
        self, fault: str, at: float, what: str, jobs: tuple[str, ...] = (), busy: Busy | None = None,
        dead: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        """Add a fault to the journal. `busy` is the worker that it hit."""
        members, worker = (busy.members, busy.worker) if busy else ((), "")
        with self.lock:
            self.done.append(Done(fault, at, time.time(), what, members, jobs, worker, dead))

    def pause(self, least: float, most: float) -> None:
        """Wait between `least` and `most` seconds, or until the run ends."""
        self.finished.wait(self.random.uniform(least, most))

    def until(self, what: Callable[[], bool], seconds: float) -> bool:
        """Whether the condition became true within that time. It is checked ten times a second."""
        give_up_at = time.monotonic() + seconds
        while not what():
            if time.monotonic() > give_up_at or self.finished.is_set():
                return False
            time.sleep(0.1)
        return True

    def submit(self, *orders: Order) -> list[str]:
        """Submit orders beyond the plan. Returns the ids of their jobs."""
        client = LoggingClient(self.fleet.url, self.log)
        try:
            with self.lock:
                self.extra += orders
            return [client.submit(order) for order in orders]
        finally:
            client.close()

    def target(self, *, alone: bool = True) -> Busy | None:
        """A worker that no other fault hits and that trains a job without crashes so far; None where there is none.

        Workers whose attempt has recorded something are preferred. alone: only workers that train one job.
        """
        fit = [b for b in self.watch.busy() if b.unblamed and not b.names and b.pid not in self.spared]
        fit = [b for b in fit if b.width == 1] if alone else fit
        recorded = [b for b in fit if b.recorded]
        if not self.form.early or (recorded and self.random.random() < 0.8):
            fit = recorded
        return self.random.choice(fit) if fit else None

    def recorded_target(self, *, alone: bool = True) -> Busy | None:
        """The same, whose attempt has recorded something. Waits some seconds for one, which kills make rare."""
        give_up_at = time.monotonic() + RECORDS_SECONDS
        while time.monotonic() < give_up_at and not self.finished.is_set():
            busy = self.target(alone=alone)
            if busy is not None and busy.recorded:
                return busy
            time.sleep(0.1)
        return None

    def host_of(self, busy: Busy) -> Host:
        """The host on which a worker runs."""
        return next((host for host in self.fleet.hosts if host.name == busy.host), self.fleet.hosts[0])

    @contextmanager
    def alone_with(self, busy: Busy) -> Iterator[None]:
        """Keep every other fault from picking this worker until the block ends."""
        self.spared.add(busy.pid)
        try:
            yield
        finally:
            self.spared.discard(busy.pid)


def worker_processes(busy: Busy) -> list[psutil.Process]:
    """The processes of one slot: Celery's main process, the supervisor, and its runners. Empty where they ended."""
    try:
        child = psutil.Process(busy.pid)
        main = child.parent()
        return [each for each in (main, child, *child.children(recursive=True)) if each is not None]
    except psutil.NoSuchProcess:
        return []


def runner_of(busy: Busy) -> psutil.Process | None:
    """The runner that trains for this worker; None where there is none."""
    return next((each for each in worker_processes(busy) if is_runner(each)), None)


def is_runner(process: psutil.Process) -> bool:
    """Whether this process is a runner, and not the one that forked it, whose command line it has."""
    try:
        return process.name() == "gradyard-runner"
    except psutil.NoSuchProcess:
        return False
