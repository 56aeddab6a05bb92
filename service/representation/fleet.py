"""Rows of workers and holds as answers."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from gradyard import shapes
from gradyard.store.dialects import as_datetime


def worker_answer(worker: Row[Any], current_jobs: Sequence[UUID], drain: Row[Any] | None) -> shapes.Worker:
    """A worker process; `current_jobs` are those of the caller's project, `drain` the hold on its GPU, slot or host."""
    idle, busy = ("drained", "draining") if drain is not None else ("idle", "busy")
    state = "dead" if not worker.alive else busy if worker.claim_id else idle
    return shapes.Worker.of(
        id=worker.id, host=worker.host, slot=worker.slot, queue=worker.queue,
        device_name=worker.device_name, device_uuid=worker.device_uuid, pool=worker.pool, state=state,
        drained=hold_answer(drain), pack_size=worker.width, steps_per_second=worker.steps_per_second,
        jobs_per_second=worker.jobs_per_second, utilization_percent=worker.utilization_percent,
        temperature_celsius=worker.temperature_celsius, memory_used_mib=worker.memory_used_mib,
        memory_mib=worker.device_memory_mib,
        pid=worker.pid, heartbeat_at=as_datetime(worker.heartbeat_at), started_at=as_datetime(worker.started_at),
        current_jobs=current_jobs, versions=worker.versions, engines=worker.engines or ["eager"],
    )  # fmt: skip


def hold_answer(hold: Row[Any] | None) -> shapes.Hold | None:
    """A pause or a drain; None where there is none."""
    if hold is None:
        return None
    return shapes.Hold.of(since=as_datetime(hold.since), actor=hold.actor, reason=hold.reason)
