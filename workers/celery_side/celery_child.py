"""The child of a Celery worker: what it consists of, made after the fork and ended with it."""

import gc
import os
import platform
import threading
from dataclasses import dataclass
from importlib.metadata import version

import structlog

from gradyard.broker.producer import Bells
from gradyard.jobs.fleet import Queue
from gradyard.jobs.identifiers import new_id
from gradyard.jobs.settings import Settings
from gradyard.jobs.stages.registry import REFUSED, STAGES
from gradyard.store.database import Database
from gradyard.store.files.reading import FileReader
from gradyard.store.fleet import WorkerInfo
from workers.celery_side.entry import Entry
from workers.celery_side.stop_pipe import StopPipe
from workers.celery_side.watchdog import Watchdog, end_main_process
from workers.logs import write_logs
from workers.pool.gpus.fake import ANY_DEVICE
from workers.pool.machine import machine_identity
from workers.runner.machine import engines, why_not_fused
from workers.runner_client.runner_process import RunnerProcess
from workers.supervisor.heartbeat import Heartbeat
from workers.supervisor.processor_load import ProcessorLoad
from workers.supervisor.supervisor import Supervisor
from workers.supervisor.worker_context import WorkerContext

log = structlog.get_logger()

COLLECT_AFTER = 20_000, 20, 20
"""The thresholds of Python's collector. By its own, a sixth of the time in which large packs are stored is its."""

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
    _name_logs(settings, worker)
    for each in REFUSED:
        log.warning("a stage is not offered", stage=each.name, package=each.package, reason=each.reason)
    if settings.torch_device == "cuda" and (reason := why_not_fused()):
        log.warning("compiled jobs train as CUDA graphs, not as one kernel", reason=reason)
    entry = Entry(settings, worker)
    database, runner = Database(settings.database, pool_size=1), RunnerProcess(settings)
    load = ProcessorLoad(lambda: (os.getpid(), runner.pid)) if queue == Queue.CPU else None
    heartbeat = Heartbeat(settings, worker, lambda: _enter(settings, entry, worker), load)
    stopping = stop_pipe.requested if stop_pipe else lambda: False
    bells = Bells(settings)
    parts = database, runner, bells.ring_many, FileReader.of(settings, database)
    supervisor = Supervisor(WorkerContext(settings, worker, heartbeat, stopping, *parts))
    watchdog = Watchdog(settings, worker, database, bells, end_main_process)
    current = CeleryChild(worker, heartbeat, supervisor, bells, watchdog)
    heartbeat.start()
    gc.freeze()  # what was imported stays: a collection that visits it takes longer than storing a pack
    gc.set_threshold(*COLLECT_AFTER)


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
        versions=packages | {"python": platform.python_version()}, machine=machine_identity(),
    )  # fmt: skip


def _fleet_wide_uuid(settings: Settings) -> str | None:
    """The UUID of this worker's GPU. That of a fake one is the same on every host, so the host is added to it."""
    uuid = settings.device_uuid
    return f"{uuid}@{platform.node()}" if uuid and uuid.startswith(ANY_DEVICE) else uuid


def _enter(settings: Settings, entry: Entry, worker: WorkerInfo) -> None:
    """Register the worker, and ring for what an earlier process of its slot held. Raises SlotTaken where it may not."""
    handed_back = entry.attempt()
    _name_logs(settings, worker)  # it may have taken another name
    if handed_back:
        log.warning("handed back the jobs of a dead process of this slot", slot=worker.slot, jobs=handed_back)
    if current is not None:
        current.watchdog.start()
    threading.Thread(target=_ring_until_heard, args=(settings, worker.queue), name="first bell", daemon=True).start()


def _name_logs(settings: Settings, worker: WorkerInfo) -> None:
    """Name the worker in each line of its log."""
    write_logs(settings, {"worker": str(worker.address), "worker_id": str(worker.id)})


def _ring_until_heard(settings: Settings, queue: str) -> None:
    """Ring the first bell of a new process, a few times: Redis may be away, or another slot may take the bell."""
    bells = Bells(settings)
    for _ in range(_FIRST_RINGS):
        bells.ring_many(queue, 1)
        if current is None or current.watchdog.ever_heard.wait(_FIRST_RING_SECONDS):
            break
    bells.close()
