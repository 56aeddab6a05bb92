"""The child of a Celery worker: what it consists of, made after the fork and ended with it."""

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
from gradyard.jobs.fleet import Queue
from gradyard.jobs.identifiers import new_id
from gradyard.jobs.settings import Settings
from gradyard.jobs.stages.registry import REFUSED, STAGES
from gradyard.store import fleet, lifecycle
from gradyard.store.database import Database
from gradyard.store.fleet import WorkerInfo
from workers.celery_side.stop_pipe import StopPipe
from workers.celery_side.watchdog import Watchdog, end_main_process
from workers.logs import write_logs
from workers.pool.gpus.fake import ANY_DEVICE
from workers.runner.machine import engines, why_not_fused
from workers.runner_client.runner_process import RunnerProcess
from workers.supervisor.heartbeat import Heartbeat
from workers.supervisor.supervisor import Supervisor
from workers.supervisor.worker_context import WorkerContext

log = structlog.get_logger()

_CLOCK_SECONDS = 5.0  # by which the clocks of database and host may differ
_FIRST_RINGS, _FIRST_RING_SECONDS = 5, 1.0  # rings of a new process, and seconds between two


@dataclass(frozen=True)
class CeleryChild:
    """The parts of this worker process."""

    worker: WorkerInfo
    heartbeat: Heartbeat
    supervisor: Supervisor
    bells: Bells
    watchdog: Watchdog


current: CeleryChild | None = None
"""This process's; None before the fork and after `end`."""


def begin(settings: Settings, queue: Queue, stop_pipe: StopPipe | None) -> None:
    """In a new child: make its parts and start the heartbeat, which registers the worker."""
    global current
    worker = worker_info(settings, queue)
    write_logs(settings, {"worker": str(worker.address), "worker_id": str(worker.id)})
    for each in REFUSED:
        log.warning("a stage is not offered", stage=each.name, package=each.package, reason=each.reason)
    if settings.torch_device == "cuda" and (reason := why_not_fused()):
        log.warning("compiled jobs train as CUDA graphs, not as one kernel", reason=reason)
    heartbeat = Heartbeat(settings, worker, enter=lambda: _enter(settings, worker))
    database, runner = Database(settings.database, pool_size=1), RunnerProcess(settings)
    stopping = stop_pipe.requested if stop_pipe else lambda: False
    supervisor = Supervisor(WorkerContext(settings, worker, heartbeat, stopping, database, runner))
    bells = Bells(settings)
    current = CeleryChild(worker, heartbeat, supervisor, bells, Watchdog(settings, worker, bells, end_main_process))
    heartbeat.start()
    gc.freeze()  # what was imported stays: a collection that visits it takes longer than storing a pack


def end() -> None:
    """End the runner, the lease and the connections of this child."""
    global current
    if current is not None:
        current.watchdog.stop()
        current.supervisor.close()
        current.heartbeat.stop()
        current = None


def worker_info(settings: Settings, queue: Queue) -> WorkerInfo:
    """What the fleet knows of this process, from its settings and its machine."""
    slot = settings.slot or f"{queue}-celery-{os.getppid()}"
    packages = {name: version(name) for name in ("gradyard", "celery", "numpy", "torch")}
    return WorkerInfo(
        id=new_id(), host=platform.node(), slot=slot, queue=queue, pid=os.getpid(), pool=settings.pool,
        stages={name: stage.numerics_version for name, stage in STAGES.items() if queue in stage.devices},
        device_name=settings.device_name or queue, device_uuid=_fleet_wide_uuid(settings),
        shares_device=settings.device_shared,
        memory_mib=settings.device_memory_mib, engines=engines(settings.torch_device),
        most_members=settings.most_members,
        versions=packages | {"python": platform.python_version()},
    )  # fmt: skip


def _fleet_wide_uuid(settings: Settings) -> str | None:
    """The UUID of this worker's GPU. That of a fake one is the same on every host, so the host is added to it."""
    uuid = settings.device_uuid
    return f"{uuid}@{platform.node()}" if uuid and uuid.startswith(ANY_DEVICE) else uuid


def _enter(settings: Settings, worker: WorkerInfo) -> None:
    """Register the worker, queue again what an earlier process of its slot held, and ring for that.

    Raises SlotTaken where an earlier process lives: another user's, whose lock this process cannot see.
    """
    database = Database(settings.database, lock_timeout_seconds=5.0, pool_size=1)
    try:
        with database.begin() as connection:
            for pid, age in fleet.earlier_processes(connection, worker):
                if _lives(pid, age):
                    raise SlotTaken(f"{worker.address} is held by process {pid}")
            fleet.register(connection, worker, settings.lease_seconds)
            handed_back = lifecycle.hand_back_slot(connection, worker)
    finally:
        database.close()
    if handed_back:
        log.warning("handed back the jobs of a dead process of this slot", slot=worker.slot, jobs=handed_back)
    if current is not None:
        current.watchdog.start()
    threading.Thread(target=_ring_until_heard, args=(settings, worker.queue), name="first bell", daemon=True).start()


def _lives(pid: int, age_seconds: float) -> bool:
    """Whether the process that had this pid so long ago lives, and the pid is not another process's by now."""
    try:
        process = psutil.Process(pid)
        old_enough = time.time() - process.create_time() > age_seconds - _CLOCK_SECONDS
        return pid != os.getpid() and old_enough and process.status() != psutil.STATUS_ZOMBIE
    except psutil.AccessDenied:
        return True
    except psutil.NoSuchProcess:
        return False


def _ring_until_heard(settings: Settings, queue: str) -> None:
    """Ring the first bell of a new process, a few times: Redis may be away, or another slot may take the bell."""
    bells = Bells(settings)
    for _ in range(_FIRST_RINGS):
        bells.ring_many(queue, 1)
        if current is None or current.watchdog.ever_heard.wait(_FIRST_RING_SECONDS):
            break
    bells.close()
