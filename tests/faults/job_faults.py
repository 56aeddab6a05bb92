"""F12, F14, F16: jobs that run for long, jobs that kill their runners, and cancels at the worst moments."""

import signal
import time

from tests.faults.arena import Arena, runner_of, worker_processes
from tests.faults.client import LoggingClient
from tests.faults.orders import AWAITED_PRIORITY
from tests.faults.watch import Busy

WAIT_SECONDS = 60.0
LONG = "longer than any timeout"
IN_A_PACK = "in a pack"


def long_job(arena: Arena) -> None:
    """F12: a job longer than a lease, a record interval and a bell. No fault hits it, so it must start exactly once."""
    steps = arena.book.steps_of(1.5 * arena.form.lease_seconds)
    (job,) = arena.submit(arena.book.victim(steps, name=LONG, priority=AWAITED_PRIORITY))
    at = time.time()
    arena.until(lambda: not any(LONG in busy.names for busy in arena.watch.busy()) and _is_finished(arena, job), 240)
    arena.note("F12", at, LONG, jobs=(job,))


def poisoned_pack(arena: Arena) -> None:
    """F14: submit a pack of which one member kills every runner that trains it."""
    at = time.time()
    jobs = arena.submit(*arena.book.pack(arena.form.pack, steps=arena.form.victim_steps // 10))
    arena.until(lambda: all(_is_finished(arena, job) for job in jobs), 240)
    arena.note("F14", at, f"a pack of {len(jobs)}", jobs=tuple(jobs))


def cancel(arena: Arena) -> None:
    """F16: cancel a job in one of the states in which that is hardest, those tried least first."""
    done = [each.what for each in arena.done if each.fault == "F16"]
    what = min(CANCELS, key=lambda each: (done.count(each), arena.random.random()))
    CANCELS[what](arena, what)


def _queued(arena: Arena, what: str) -> None:
    (job,) = arena.submit(arena.book.victim(arena.form.victim_steps, priority=-50))
    _cancel(arena, job, what)


def _running(arena: Arena, what: str) -> None:
    (job,) = arena.submit(arena.book.victim(arena.form.victim_steps, name="victim"))
    runs(arena, job)
    _cancel(arena, job, what)


def _in_a_pack(arena: Arena, what: str) -> None:
    order = arena.book.victim(arena.form.victim_steps // 3, name="victim")
    others = [arena.book.victim(order.spec["steps"]) for _ in range(3)]
    others = [type(order)(each.key, order.spec | {"seed": n}, order.ends) for n, each in enumerate(others, 1)]
    job, *_rest = arena.submit(order, *others)
    busy = runs(arena, job)
    _cancel(arena, job, what, busy)


def _native(arena: Arena, what: str) -> None:
    (job,) = arena.submit(arena.book.victim(arena.form.victim_steps, name="native"))
    busy = runs(arena, job)
    if busy is not None:
        arena.pause(0.5, 1.5)
    _cancel(arena, job, what, busy)


def _finishing(arena: Arena, what: str) -> None:
    (job,) = arena.submit(arena.book.victim(500, name="victim", tags={}))
    arena.pause(0.0, 0.5)
    _cancel(arena, job, what)


def _redis_away(arena: Arena, what: str) -> None:
    (job,) = arena.submit(arena.book.victim(arena.form.victim_steps, name="victim"))
    runs(arena, job)
    arena.fleet.redis.freeze()
    try:
        _cancel(arena, job, what)
    finally:
        arena.fleet.redis.thaw()


def _asleep(arena: Arena, what: str) -> None:
    (job,) = arena.submit(arena.book.victim(arena.form.victim_steps, name="victim"))
    busy = runs(arena, job)
    processes = worker_processes(busy) if busy else []
    for each in processes:
        each.send_signal(signal.SIGSTOP)
    try:
        _cancel(arena, job, what, busy)
    finally:
        for each in processes:
            if each.is_running():
                each.send_signal(signal.SIGCONT)


CANCELS = {
    "queued": _queued, "running": _running, IN_A_PACK: _in_a_pack, "in a native call of seconds": _native,
    "about to finish": _finishing, "running, Redis frozen": _redis_away, "running, its worker frozen": _asleep,
}  # fmt: skip


def _cancel(arena: Arena, job: str, what: str, busy: Busy | None = None) -> None:
    client = LoggingClient(arena.fleet.url, arena.log)
    at = time.time()
    try:
        client.cancel(job)
    finally:
        client.close()
    arena.note("F16", at, what, jobs=(job,), busy=busy)


def runs(arena: Arena, job: str) -> Busy | None:
    """Wait for a worker that trains this job, and return it; None after `WAIT_SECONDS`."""
    workers: list[Busy] = []

    def look() -> bool:
        workers[:] = [b for b in arena.watch.busy() if any(str(member) == job for member, _ in b.members)]
        return bool(workers) and runner_of(workers[0]) is not None

    return workers[0] if arena.until(look, WAIT_SECONDS) else None


def _is_finished(arena: Arena, job: str) -> bool:
    client = LoggingClient(arena.fleet.url, arena.log)
    try:
        shown = client.job(job)
        return shown is not None and shown["state"] not in ("queued", "running")
    finally:
        client.close()
