"""F23: a second machine with the same host name starts its workers, as two containers with the host's network do."""

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil
from sqlalchemy import or_, select

from gradyard.jobs.errors import GradyardError
from gradyard.jobs.events import EventKind
from gradyard.processes.children import Child
from gradyard.store.dialects import now
from gradyard.store.tables import Worker
from tests.faults.arena import Arena, Done
from tests.faults.bites import HITS, Journal
from tests.faults.fleet import Host, command_of
from tests.faults.watch import Busy
from workers.pool.machine import machine_identity

MACHINE = ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc"]
LOCKS_OF_ITS_OWN = ["sh", "-c", 'mount -t tmpfs none "$TMPDIR" && exec "$@"', "sh"]
SAYS_SO = "two machines have one host name"
ENTERS_SECONDS, STOPS_SECONDS = 40.0, 12.0
ENTERED, NOT_ENTERED = "the second took another name", "the second took no other name"


def second_machine_of_the_name(arena: Arena) -> None:
    """F23: start the pool of a busy host once more, in a PID namespace and with lock files of its own; then stop it."""
    arena.until(lambda: arena.target(alone=False) is not None, ENTERS_SECONDS)
    busy = arena.target(alone=False)
    if busy is None:
        return
    second = _second(arena, arena.host_of(busy))
    at = time.time()
    second.start()
    try:
        arena.until(lambda: _name_of_second(arena, busy) is not None, ENTERS_SECONDS)
        name, says_so = _name_of_second(arena, busy), SAYS_SO in "\n".join(second.tail(1000))
        arena.pause(1.0, 2.0)  # it trains beside the first
    finally:
        _stop(second)
    if name is not None or not arena.finished.is_set():
        arena.note("F23", at, ENTERED if says_so and name != busy.slot else NOT_ENTERED, busy=busy)


def why_not() -> str | None:
    """Why no second machine can be simulated here; None where it can."""
    if shutil.which("unshare") is None:
        return "util-linux is not installed"
    refused = subprocess.run([*MACHINE, "true"], capture_output=True, text=True)
    return f"the kernel refused: {refused.stderr.strip()}" if refused.returncode else None


def taken(journal: Journal, done: Done) -> Iterator[str]:
    """One line for each job of a live worker that the second machine took, and where that gave its slot no new name."""
    if any(each.fault in HITS and each.at < done.until and each.until > done.at for each in journal.done):
        return  # a process that died of another fault is replaced as well, and its name is free meanwhile
    if done.what == NOT_ENTERED:
        yield f"F23: beside {done.worker}, {NOT_ENTERED}"
    for event in journal.rows.all_events():
        if event.kind == EventKind.WORKER_DIED and done.at < event.at < done.until:
            yield f"F23: {event.job_id} was taken from a live worker: {event.actor} says {event.detail}"


def _second(arena: Arena, host: Host) -> Child:
    command = [*MACHINE, *LOCKS_OF_ITS_OWN, *host.pool.command]
    log = arena.fleet.folder / f"{host.name}-second.log"
    return Child(f"second {host.name}", command, arena.fleet.environment(host.namespace), log)


def _name_of_second(arena: Arena, busy: Busy) -> str | None:
    """What the second machine calls its slot of this name; None before it has entered."""
    query = select(Worker.slot).where(
        Worker.machine != machine_identity(), Worker.lease_until > now(), Worker.host == busy.host,
        or_(Worker.slot == busy.slot, Worker.slot.startswith(f"{busy.slot}-", autoescape=True)),
    )  # fmt: skip
    with suppress(GradyardError), arena.fleet.database.read() as connection:
        return connection.execute(query).scalar()
    return None


def _stop(second: Child) -> None:
    """Stop the second pool as a service manager does. `unshare` hands no signal on."""
    try:
        assert second.pid is not None
        for each in psutil.Process(second.pid).children(recursive=True):
            if "workers.pool" in command_of(each):
                each.send_signal(signal.SIGTERM)
    except psutil.NoSuchProcess:
        pass
    if not second.wait(STOPS_SECONDS):
        second.kill()
