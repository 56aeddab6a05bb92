"""What a worker process consists of, made in the child after its fork and put away at its end."""

import gc
import os
import platform
import threading
import time
from dataclasses import dataclass
from importlib.metadata import version

import psutil
import structlog

from gradyard.broker.producer import Bells
from gradyard.jobs.errors import SlotTaken
from gradyard.jobs.identifiers import new_id
from gradyard.jobs.settings import Settings
from gradyard.jobs.stages.registry import REFUSED, STAGES
from gradyard.store import fleet, lifecycle
from gradyard.store.database import Database
from gradyard.store.fleet import WorkerInfo
from workers.celery_side.stop_pipe import Stopping
from workers.celery_side.watchdog import Watchdog, end_main_process
from workers.logs import write_logs
from workers.pool.gpus.fake import ANY_DEVICE
from workers.runner.numerics import engines
from workers.runner_client.runner_process import RunnerProcess
from workers.supervisor.heartbeat import Heartbeat
from workers.supervisor.supervisor import Supervisor
from workers.supervisor.worker_context import WorkerContext

log = structlog.get_logger()

CLOCK_SECONDS = 5.0  # by which two clocks may differ in what they think of an age
FIRST_RINGS, FIRST_RING_SECONDS = 5, 1.0  # so often, and so long between two


@dataclass
class Process:
    """What this worker process consists of, made once after its fork."""

    worker: WorkerInfo
    heartbeat: Heartbeat
    supervisor: Supervisor
    bells: Bells
    watchdog: Watchdog


current: Process | None = None


def begin(settings: Settings, consumed: frozenset[str], stopping: Stopping | None) -> None:
    """In a new child: enter the worker, hand back what a predecessor of its slot held, start the heartbeat."""
    global current
    worker = facts(settings, "gpu" if "gpu" in consumed else "cpu")
    write_logs(settings, {"worker": worker.place, "worker_id": str(worker.id)})
    for each in REFUSED:
        log.warning("a stage is not offered", stage=each.name, package=each.package, why=each.reason)
    heartbeat = Heartbeat(settings, worker, enter=lambda: _enter(settings, worker))
    database, runner = Database(settings.database, pool_size=1), RunnerProcess(settings)
    asked = stopping.asked if stopping else lambda: False
    supervisor = Supervisor(WorkerContext(settings, worker, heartbeat, asked, database, runner))
    bells = Bells(settings)
    current = Process(worker, heartbeat, supervisor, bells, Watchdog(settings, worker, bells, end_main_process))
    heartbeat.start()
    gc.freeze()  # what was imported stays: each look of the collector at it would take longer than storing a pack


def end() -> None:
    """Leave: no runner, no lease and no connection is left behind."""
    global current
    if current is not None:
        current.watchdog.stop()
        current.supervisor.close()
        current.heartbeat.stop()
        current = None


def facts(settings: Settings, queue: str) -> WorkerInfo:
    """What this process is, from its settings and its machine."""
    slot = settings.slot or f"{queue}-celery-{os.getppid()}"
    packages = {name: version(name) for name in ("gradyard", "celery", "numpy", "torch")}
    return WorkerInfo(
        id=new_id(), host=platform.node(), slot=slot, queue=queue, pid=os.getpid(), pool=settings.pool,
        stages={name: stage.numerics_version for name, stage in STAGES.items() if queue in stage.devices},
        device_name=settings.device_name or queue, device_uuid=_known_device(settings),
        shares_device=settings.device_shared,
        memory_mib=settings.device_memory_mib, engines=engines(settings.torch_device),
        most_members=settings.most_members,
        versions=packages | {"python": platform.python_version()},
    )  # fmt: skip


def _known_device(settings: Settings) -> str | None:
    """By which UUID the fleet knows this device; that of a fake one other hosts have as well."""
    uuid = settings.device_uuid
    return f"{uuid}@{platform.node()}" if uuid and uuid.startswith(ANY_DEVICE) else uuid


def _enter(settings: Settings, worker: WorkerInfo) -> None:
    """Register; then whatever an earlier process of this slot held is queued again, and rung for.

    Raises SlotTaken where such a process lives: that of another user, whose lock we could not see.
    """
    database = Database(settings.database, lock_timeout_seconds=5.0, pool_size=1)
    try:
        with database.begin() as connection:
            for pid, age in fleet.earlier_processes(connection, worker):
                if _lives(pid, age):
                    raise SlotTaken(f"{worker.place} is held by process {pid}")
            fleet.register(connection, worker, settings.lease_seconds)
            handed_back = lifecycle.hand_back_slot(connection, worker)
    finally:
        database.close()
    if handed_back:
        log.warning("handed back what a dead process of this slot held", slot=worker.slot, jobs=handed_back)
    if current is not None:
        current.watchdog.start()
    threading.Thread(target=_ring_until_heard, args=(settings, worker.queue), name="first bell", daemon=True).start()


def _lives(pid: int, age_seconds: float) -> bool:
    """Whether the process that had this pid so long ago is there still, and the pid is not another one's by now."""
    try:
        process = psutil.Process(pid)
        old_enough = time.time() - process.create_time() > age_seconds - CLOCK_SECONDS
        return pid != os.getpid() and old_enough and process.status() != psutil.STATUS_ZOMBIE
    except psutil.AccessDenied:
        return True
    except psutil.NoSuchProcess:
        return False


def _ring_until_heard(settings: Settings, queue: str) -> None:
    """The first bell of a new process. One that Redis did not take, or that another slot heard, is rung again."""
    bells = Bells(settings)
    for _ in range(FIRST_RINGS):
        bells.ring_many(queue, 1)
        if current is None or current.watchdog.ever_heard.wait(FIRST_RING_SECONDS):
            break
    bells.close()
