"""F21: a worker is stopped, or its cable to the database cut, while it stands inside a transaction."""

import signal
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil
from sqlalchemy import text

from gradyard.jobs.errors import GradyardError
from gradyard.jobs.events import EventKind
from gradyard.store.upkeep import write_lock
from gradyard.store.upkeep.in_use import file_of
from tests.faults import network
from tests.faults.arena import Arena, Done, worker_processes
from tests.faults.bites import STOPPED_WRITER, Journal
from tests.faults.client import LoggingClient
from tests.faults.host_faults import MAINTENANCE_STOPPED
from tests.faults.job_faults import runs
from tests.faults.orders import AWAITED_PRIORITY
from tests.faults.watch import Busy

INSIDE, ANOTHER = "stopped inside a transaction", "another worker, stopped beside it"
AWAY_AS_WELL = ("F3", "F7", "F9", "F13", "F22")
NO_MAINTENANCE = ("F7", "F13", "F22", MAINTENANCE_STOPPED)  # or its database takes no writes: no lease is ended then
TRIES_SECONDS = 30.0
SETTLES_SECONDS = 0.01  # a statement that the server had already got is done by then
HOLDS_THE_JOB = text("""
    SELECT 1 FROM jobs JOIN pg_locks ON pg_locks.locktype = 'transactionid' AND pg_locks.transactionid = jobs.xmax
    JOIN pg_stat_activity AS session ON session.pid = pg_locks.pid
    WHERE jobs.id = CAST(:job AS uuid) AND session.state = 'idle in transaction'
""")


def stop_in_transaction(arena: Arena) -> None:
    """F21: stop a worker in the middle of a record, and another one anywhere; cancel the job of the first.

    The lease of the second must end in time. On SQLite the first holds the one write lock, until it is ended.
    """
    order = arena.book.victim(arena.form.victim_steps // 2, name="victim", priority=AWAITED_PRIORITY)
    (job,) = arena.submit(order)
    busy = runs(arena, job)
    if busy is None:
        return
    with arena.alone_with(busy):
        what = INSIDE if arena.fleet.postgres else STOPPED_WRITER
        at, stopped = time.time(), [psutil.Process(busy.pid)]
        try:
            if not _stop_inside(arena, stopped[0], job):
                return
            at, other = time.time(), _another(arena, busy)
            stopped += worker_processes(other) if other else []
            for each in stopped[1:]:
                each.send_signal(signal.SIGSTOP)
            _let_others_meet_it(arena, busy, stopped[0], job)
            if other is not None:
                arena.until(lambda: not _holds(arena, other), arena.form.lease_seconds + 15)
                # the moment at which its lease ends at the latest
                arena.note("F21", at + arena.form.lease_seconds, ANOTHER, busy=other)
            arena.note("F21", at, what, jobs=(job,), busy=busy)
        except psutil.NoSuchProcess:  # another fault, or the service itself ended it
            arena.note("F21", at, what, jobs=(job,), busy=busy)
        finally:
            if namespace := arena.host_of(busy).namespace:
                namespace.mend(network.DATABASE)
            for each in stopped:
                with suppress(psutil.NoSuchProcess):
                    each.send_signal(signal.SIGCONT)


def late_leases(journal: Journal) -> list[float]:
    """How long after their leases ended the jobs of a worker beside a stopped transaction were queued again.

    Left out: where maintenance could not work meanwhile.
    """
    return [
        event.at - done.at for done in journal.done
        if done.fault == "F21" and done.what == ANOTHER and not journal.meets_another(done, NO_MAINTENANCE)
        for event in journal.rows.all_events()
        if event.kind == EventKind.LEASE_LOST and (event.job_id, event.attempt) in done.members
    ]  # fmt: skip


def refused_cancels(journal: Journal, done: Done) -> Iterator[str]:
    """One line for each cancel that was refused because of a worker that was stopped inside a transaction."""
    if journal.meets_another(done, AWAY_AS_WELL):
        return
    paths = {f"/v1/jobs/{job}/cancel" for job in done.jobs}
    for asked in journal.log.asked:
        if asked.path in paths and asked.status == 503:
            yield f"F21: {asked.path} was refused after {asked.seconds:.1f} s, as its worker stood inside a transaction"


def _stop_inside(arena: Arena, process: psutil.Process, job: str) -> bool:
    """Stop the process again and again, until it stands inside a transaction that has locked the job."""

    def stands_inside() -> bool:
        process.send_signal(signal.SIGSTOP)
        time.sleep(SETTLES_SECONDS)
        if _is_inside(arena, process.pid, job):
            return True
        process.send_signal(signal.SIGCONT)
        return False

    give_up_at = time.monotonic() + TRIES_SECONDS
    while time.monotonic() < give_up_at and not arena.finished.is_set():
        if stands_inside():
            return True
        time.sleep(arena.random.uniform(0.001, 0.02))
    return False


def _is_inside(arena: Arena, pid: int, job: str) -> bool:
    file = file_of(arena.fleet.database_url)
    if file is not None:
        return write_lock.holder_of(file) == pid
    try:
        with arena.fleet.database.read() as connection:
            return connection.execute(HOLDS_THE_JOB, {"job": job}).first() is not None
    except GradyardError:
        return False


def _let_others_meet_it(arena: Arena, busy: Busy, process: psutil.Process, job: str) -> None:
    """Cancel the job; half of the time its worker goes on meanwhile, behind a cut cable. SQLite: once it was ended."""
    namespace = arena.host_of(busy).namespace
    if arena.fleet.postgres is None:
        arena.until(lambda: not process.is_running(), arena.form.lease_seconds + 15)
    elif namespace is not None and arena.random.random() < 0.5:
        namespace.cut(network.DATABASE)
        process.send_signal(signal.SIGCONT)
    client = LoggingClient(arena.fleet.url, arena.log)
    try:
        client.ask("POST", f"/v1/jobs/{job}/cancel")
    finally:
        client.close()


def _another(arena: Arena, busy: Busy) -> Busy | None:
    others = (each for each in arena.watch.busy() if each.pid != busy.pid and each.pid not in arena.spared)
    return next((each for each in others if each.unblamed and not each.names), None)


def _holds(arena: Arena, busy: Busy) -> bool:
    held = {member for each in arena.watch.busy() for member in each.members}
    return bool(held & set(busy.members))
