"""F3, F7, F9, F13, F17, F18, F20: faults of the API, the database, its disk, its cable, its rows, and maintenance."""

import signal
import sys
import threading
import time

from sqlalchemy import select, update

from gradyard.jobs.errors import GradyardError
from gradyard.processes.children import Child
from gradyard.store.tables import Checkpoint
from tests.faults import network
from tests.faults.arena import Arena, runner_of
from tests.faults.watch import Busy
from tests.faults.worker_faults import freeze_worker
from tests.snapshot import Snapshot

VOLLEY = 8
MORE_JANITORS, JANITOR_BEGINS_SECONDS = 9, 3.0


def kill_api(arena: Arena) -> None:
    """F3: kill the API with SIGKILL while clients submit. They repeat their requests with the same keys."""
    volley = _volley(arena)
    arena.pause(0.0, 0.05)
    at = time.time()
    arena.fleet.api.kill()
    arena.pause(0.1, 0.5)
    arena.fleet.tend()
    _join(volley)  # it starts for seconds, and answers nothing until then
    arena.note("F3", at, "API killed")


def kill_database(arena: Arena) -> None:
    """F7: kill every process of PostgreSQL with SIGKILL, and start it again after a while."""
    assert arena.fleet.postgres is not None
    at = time.time()
    arena.fleet.postgres.kill()
    volley = _volley(arena)
    arena.finished.wait(arena.form.database_away_seconds)
    arena.fleet.postgres.start()
    arena.note("F7", at, "PostgreSQL killed")
    _join(volley)


def fill_disk(arena: Arena) -> None:
    """F13: fill the disk of the database for a while."""
    assert arena.fleet.disk is not None
    at = time.time()
    arena.fleet.disk.fill()
    volley = _volley(arena)
    arena.finished.wait(arena.form.database_away_seconds)
    arena.fleet.disk.empty()
    if arena.fleet.postgres is not None:
        arena.fleet.postgres.start()  # it may have ended by itself
    arena.note("F13", at, "disk full")
    _join(volley)


def cut_off_host(arena: Arena) -> None:
    """F9: cut one host off from the database or from Redis, for longer than a lease."""
    part = arena.random.choice([network.DATABASE, network.DATABASE, network.REDIS])
    busy = arena.target(alone=False)
    host = arena.host_of(busy) if busy else None
    if busy is None or host is None or host.namespace is None:
        return
    with arena.alone_with(busy):
        at = time.time()
        host.namespace.cut(part)
        arena.finished.wait(arena.form.lease_seconds + 4)
        host.namespace.mend(part)
        arena.note("F9", at, f"{host.name} cut off from its {part}", busy=busy)


def spoil_checkpoint(arena: Arena) -> None:
    """F17: flip a bit of the newest checkpoint or cut off its end, then kill the runner."""
    busy = arena.recorded_target()
    runner = runner_of(busy) if busy else None
    if busy is None or runner is None or not _spoil(arena, busy):
        return
    at = time.time()
    runner.send_signal(signal.SIGKILL)
    arena.note("F17", at, "checkpoint spoiled", busy=busy)


def lose_commits(arena: Arena) -> None:
    """F20: put a job back as it was before its last record, as a failover to an asynchronous replica does."""
    busy = arena.recorded_target(alone=False)
    if busy is None:
        return
    job, at = busy.members[0][0], time.time()
    try:
        with arena.alone_with(busy):
            before = Snapshot(arena.fleet.database, job)
            newer = arena.until(lambda: Snapshot(arena.fleet.database, job).recorded_to > before.recorded_to, 10.0)
            if newer and before.put_back(where_it_runs=True):
                arena.note("F20", at, "commits lost", busy=busy)
    except (GradyardError, ValueError):  # the database is away, or the job is gone
        return


def many_janitors(arena: Arena) -> None:
    """F18: run nine more maintenance processes, and have a lease end once each of them has seen a whole one.

    In its first each ends no lease of another process.
    """
    fleet, at, apart = arena.fleet, time.time(), arena.form.lease_seconds / 5
    command = [sys.executable, "-m", "tests.faults.maintenance_loops", f"{MORE_JANITORS}", f"{apart}"]
    more = Child("janitors", command, fleet.environment(), fleet.folder / "janitors.log")
    more.start()
    arena.finished.wait(MORE_JANITORS * apart + JANITOR_BEGINS_SECONDS)  # what is frozen then has a lease left
    freeze_worker(arena)
    more.kill()
    arena.note("F18", at, "ten maintenance loops")


def _spoil(arena: Arena, busy: Busy) -> bool:
    (job, _), *_rest = busy.members
    newest = select(Checkpoint.step, Checkpoint.blob).where(Checkpoint.job_id == job)
    try:
        with arena.fleet.database.begin() as connection:
            row = connection.execute(newest.order_by(Checkpoint.step.desc()).limit(1)).first()
            if row is None:
                return False
            place = arena.random.randrange(len(row.blob))
            flipped = row.blob[:place] + bytes([row.blob[place] ^ 1]) + row.blob[place + 1 :]
            blob = arena.random.choice([flipped, row.blob[:place]])
            which = (Checkpoint.job_id == job, Checkpoint.step == row.step)
            connection.execute(update(Checkpoint).where(*which).values(blob=blob))
    except GradyardError:
        return False
    return True


def _volley(arena: Arena) -> list[threading.Thread]:
    """Start several clients that submit at the same time. Returns their threads."""
    orders = [arena.book.short() for _ in range(VOLLEY)]
    threads = [threading.Thread(target=arena.submit, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    return threads


def _join(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join()
