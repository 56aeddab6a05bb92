"""F24: a host's clock steps, its disk stalls, its maintenance stops, and its API is killed for memory."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

import psutil

from gradyard.jobs.events import EventKind
from tests.faults.arena import Arena, Done, worker_processes
from tests.faults.bites import HITS, Journal
from tests.faults.fleet import command_of

STEP_SECONDS = 3600
UNEVEN_SECONDS = 1.5  # between the waking of maintenance and that of the workers; less than a lease
FORWARD, BACK, DISK = "clock set forward", "clock set back", "disk stalled"
API_KILLED, MAINTENANCE_STOPPED = "API killed for memory", "maintenance stopped"
VOLLEY = 8


def unsettle_host(arena: Arena) -> None:
    """F24: one of these, those tried least first. Only on an unsteady host do its clock and its disk misbehave."""
    kinds, host = dict(STEADY), arena.fleet.build.host
    if host is not None:
        kinds |= {DISK: _stall_disk} | ({BACK: _step_back} if host.seconds_off else {FORWARD: _step_forward})
    done = [each.what for each in arena.done if each.fault == "F24"]
    what = min(kinds, key=lambda each: (done.count(each), arena.random.random()))
    busy = arena.watch.busy()
    if not busy:
        return
    at = kinds[what](arena)
    if at is None:
        return
    members = tuple(member for each in busy for member in each.members)
    arena.note("F24", at, what, busy=replace(busy[0], members=members))


# Each returns the time at which it began; None where it did not.


def _step_forward(arena: Arena) -> float:
    """The machine wakes: its clock is an hour on, and maintenance runs before the workers do."""
    host, at = arena.fleet.build.host, time.time()
    assert host is not None
    workers = [each for busy in arena.watch.busy() for each in worker_processes(busy)]
    with _stopped(workers):
        host.set_clock(STEP_SECONDS)
        time.sleep(UNEVEN_SECONDS)
    arena.pause(arena.form.lease_seconds + 2, arena.form.lease_seconds + 2)
    return at


def _step_back(arena: Arena) -> float:
    """The clock is right again: for the service it is set back by an hour."""
    host, at = arena.fleet.build.host, time.time()
    assert host is not None
    host.set_clock(0)
    arena.pause(arena.form.lease_seconds + 2, arena.form.lease_seconds + 2)
    return at


def _stall_disk(arena: Arena) -> float:
    """One commit hangs, and with it the lock of writers, for most of a lease."""
    host, at = arena.fleet.build.host, time.time()
    assert host is not None
    host.stall_disk(0.6 * arena.form.lease_seconds)
    arena.pause(arena.form.lease_seconds, arena.form.lease_seconds)
    return at


def _stop_maintenance(arena: Arena) -> float:
    """Every maintenance process is stopped for longer than a lease."""
    at = time.time()
    with _stopped([each for each in arena.fleet.processes() if "workers.maintenance" in command_of(each)]):
        arena.pause(arena.form.lease_seconds + 2, arena.form.lease_seconds + 2)
    arena.pause(2.0, 3.0)
    return at


def _kill_api(arena: Arena) -> float | None:
    """The kernel kills the greatest worker process of the API while clients submit; None where it has none just now.

    It begins with the kill: on a busy host the clients take a second to start, in which the API answers.
    """
    threads = [threading.Thread(target=arena.submit, args=(arena.book.short(),)) for _ in range(VOLLEY)]
    for thread in threads:
        thread.start()
    arena.pause(0.0, 0.05)
    at: float | None = None
    with suppress(psutil.NoSuchProcess, ValueError):  # another fault killed it, and it starts
        (main,) = psutil.Process(arena.fleet.api.pid).children()
        greatest = max(main.children(), key=lambda each: each.memory_info().rss)
        began = time.time()
        greatest.kill()
        at = began
    for thread in threads:
        thread.join()
    return at


@contextmanager
def _stopped(processes: Sequence[psutil.Process]) -> Iterator[None]:
    _send(processes, signal.SIGSTOP)
    try:
        yield
    finally:
        _send(processes, signal.SIGCONT)


def _send(processes: Sequence[psutil.Process], number: int) -> None:
    for each in processes:
        with suppress(psutil.NoSuchProcess):
            each.send_signal(number)


STEADY: dict[str, Callable[[Arena], float | None]] = {
    MAINTENANCE_STOPPED: _stop_maintenance, API_KILLED: _kill_api
}  # fmt: skip


def taken_from_the_living(journal: Journal, done: Done) -> Iterator[str]:
    """One line for each job that was taken from a worker that lived, unless another fault may be the cause."""
    if journal.meets_another(done, HITS):
        return
    members = {(str(job), attempt) for job, attempt in done.members}
    for job, _ in done.members:
        for event in journal.rows.events.get(str(job), []):
            if (str(job), event.attempt) in members and event.kind == EventKind.LEASE_LOST:
                yield f"F24 ({done.what}): {job} was taken from a live worker: {event.detail}"
