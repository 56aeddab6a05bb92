"""F1, F2, F8, F15: runners, supervisors, Celery processes and whole pools are killed, frozen and stopped."""

import signal
import time

import psutil

from tests.faults.arena import Arena, runner_of, worker_processes
from tests.faults.watch import Busy


def kill_runner(arena: Arena) -> None:
    """F1: kill a runner that trains with SIGKILL."""
    busy = arena.target()
    runner = runner_of(busy) if busy else None
    if busy is None or runner is None:
        return
    at = time.time()
    if _send(runner, signal.SIGKILL):
        arena.note("F1", at, "runner", busy=busy)


def kill_worker(arena: Arena) -> None:
    """F2: kill with SIGKILL a supervisor, Celery's main process, or every process of the pool at once."""
    busy = arena.target()
    processes = worker_processes(busy) if busy else []
    if busy is None or len(processes) < 2:
        return
    what = arena.random.choice(["supervisor", "celery main", "pool"])
    if what == "pool" and not all(other.unblamed for other in arena.watch.busy() if other.host == busy.host):
        what = "celery main"  # another job of this pool was blamed before, and must not fail
    with arena.alone_with(busy):
        at = time.time()
        if what == "pool":
            _kill_pool(arena, busy)
        else:
            _send(processes[1] if what == "supervisor" else processes[0], signal.SIGKILL)
        arena.note("F2", at, what, busy=busy)


def freeze_worker(arena: Arena) -> None:
    """F8: freeze a worker until its lease has expired and it has lost its jobs, then let it continue.

    Half of the time its runner is not frozen, so that the worker has many messages to process afterwards.
    """
    busy = arena.target()
    if busy is None:
        return
    with arena.alone_with(busy):
        processes = worker_processes(busy)
        if arena.random.random() < 0.5:
            processes = processes[:2]
        at = time.time()
        for each in processes:
            _send(each, signal.SIGSTOP)
        arena.until(lambda: not _still_theirs(arena, busy), arena.form.lease_seconds + 15)
        arena.pause(0.5, 2.0)
        for each in processes:
            _send(each, signal.SIGCONT)
        arena.note("F8", at, "worker frozen", busy=busy)
        arena.pause(2.0, 3.0)  # time for the worker to notice that its jobs are lost


def stop_worker(arena: Arena) -> None:
    """F15: stop a worker with SIGTERM, as in a rolling upgrade. The pool starts it again."""
    busy = arena.target(alone=False)
    processes = worker_processes(busy) if busy else []
    if busy is None or not processes:
        return
    with arena.alone_with(busy):
        at = time.time()
        if _send(processes[0], signal.SIGTERM):
            arena.until(lambda: not _still_theirs(arena, busy), 12)
            arena.note("F15", at, "SIGTERM", busy=busy)


def _kill_pool(arena: Arena, busy: Busy) -> None:
    pool = arena.host_of(busy).pool
    try:
        assert pool.pid is not None
        family = psutil.Process(pool.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return
    for each in family:
        _send(each, signal.SIGKILL)
    pool.kill()
    arena.fleet.tend()


def _still_theirs(arena: Arena, busy: Busy) -> bool:
    held = {member for other in arena.watch.busy() for member in other.members}
    return bool(held & set(busy.members))


def _send(process: psutil.Process, number: int) -> bool:
    try:
        process.send_signal(number)
        return True
    except psutil.NoSuchProcess:
        return False
