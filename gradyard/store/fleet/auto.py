"""Looks at the waiting jobs of `device: auto` and at the live slots, and chooses a kind of device for them."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, Integer, bindparam, func, literal_column, or_, select

from gradyard.jobs.fleet import Queue
from gradyard.jobs.specs.datasets import stored_dataset
from gradyard.jobs.stages.device_estimate import Work, ends_in_seconds
from gradyard.jobs.stages.device_speeds import COLD_START_SECONDS, speed_of
from gradyard.jobs.stages.registry import STAGES
from gradyard.jobs.stages.stage import Stage
from gradyard.store.dialects import now
from gradyard.store.fleet.device_choice import DeviceChoice, SlotsOfKind
from gradyard.store.fleet.eligibility import allowed_but_for_queue, capabilities_of
from gradyard.store.fleet.holds import on_hold
from gradyard.store.tables import IS_QUEUED, Claim, Job, Worker

MOST_COUNTED = 8192  # jobs alike; counting more takes milliseconds and changes no choice

GROUP = (Job.pack_key, Job.start_step, func.coalesce(Job.pool, ""), func.coalesce(Job.gpu_memory_mib, 0))
"""What the jobs of one choice agree in, as columns."""


def group_of(job: Any) -> tuple[Any, ...]:
    """The values of GROUP of a job (a row of `jobs`)."""
    return job.pack_key, job.start_step, job.pool or "", job.gpu_memory_mib or 0


class DeviceChoices:
    """Choices for waiting jobs. The slots are read once, and the jobs of each group are counted once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._slots: Sequence[Any] | None = None
        self._known: dict[tuple[Any, ...], DeviceChoice] = {}

    def of(self, job: Any) -> DeviceChoice:
        """The choice for those jobs of `device: auto` that are alike this one (a row of `jobs`)."""
        group = group_of(job)
        if group not in self._known:
            self._known[group] = self._choose(job, group)
        return self._known[group]

    def _choose(self, job: Any, group: tuple[Any, ...]) -> DeviceChoice:
        if self._slots is None:
            self._slots = self._connection.execute(_usable_slots).all()
        able = [row for row in self._slots if allowed_but_for_queue(job, capabilities_of(row))]
        kinds = [[row for row in able if row.queue == queue] for queue in (Queue.CPU, Queue.GPU)]
        if not all(kinds):  # nothing to choose: as on every host without a GPU, where a claim shall stay cheap
            return DeviceChoice(1, 0.0, *(SlotsOfKind(len(slots), None, None) for slots in kinds))
        names = "key", "step", "pool", "memory"
        alike = self._connection.execute(_alike, dict(zip(names, group, strict=True))).one()
        jobs, waited = max(1, alike.jobs), float(alike.waited or 0.0)
        return DeviceChoice(jobs, waited, *(_slots_of_kind(job, jobs, slots) for slots in kinds))


def _slots_of_kind(job: Any, jobs: int, slots: Sequence[Any]) -> SlotsOfKind:
    stage = STAGES.get(job.stage)
    if stage is None:
        return SlotsOfKind(len(slots), None, None)
    free_in = [seconds for seconds in map(_free_in_seconds, slots) if seconds is not None]
    ends = partial(_ends_in_seconds, job, stage, jobs, slots[0])
    return SlotsOfKind(len(slots), ends(free_in), ends([0.0] * len(slots)))


def _ends_in_seconds(job: Any, stage: Stage, jobs: int, slot: Any, free_in: Sequence[float]) -> float | None:
    able, points = capabilities_of(slot), stored_dataset(job.spec["dataset"]).points
    engine = job.engine or stage.engine_for(job.spec["execution"], able.engines)
    speed = speed_of(stage.name, engine, able.queue)
    if speed is None or not free_in:
        return None
    widest = stage.width(job.dtype, points, engine, able.queue, able.memory_mib or None, job.gpu_memory_mib)
    return ends_in_seconds(speed, Work(jobs, job.steps, points, job.dtype), widest, free_in)


def _free_in_seconds(slot: Any) -> float | None:
    """In how many seconds the slot can train, by its last heartbeat; None where the end of its pack is unknown.

    0 without a pack; a slot that has claimed nothing since it started has no warm runner.
    """
    if slot.claim_id is None:
        return COLD_START_SECONDS[slot.queue] if slot.served_rank is None else 0.0
    if not slot.steps or not slot.steps_per_second:
        return None
    return float(max(0, slot.steps - slot.steps_done) * slot.width / slot.steps_per_second)


# Built once: building such statements costs more than executing them.
_steps = select(Job.steps).where(Job.claim_id == Claim.id).limit(1).scalar_subquery()
_usable_slots = (
    select(
        Worker.queue, Worker.stages, Worker.pool, Worker.device_memory_mib, Worker.engines, Worker.steps_per_second,
        Worker.served_rank, Claim.id.label("claim_id"), Claim.width, Claim.steps_done, _steps.label("steps"),
    ).outerjoin(Claim, Claim.worker_id == Worker.id).where(Worker.lease_until > now(), ~on_hold)
)  # fmt: skip
_counted = (
    select(Job.submitted_at)
    .where(
        IS_QUEUED, Job.queue == literal_column(f"'{Queue.ANY}'"),  # else planned anew at each execution
        or_(Job.not_before.is_(None), Job.not_before <= now()), GROUP[0] == bindparam("key"),
        GROUP[1] == bindparam("step"), GROUP[2] == bindparam("pool"), GROUP[3] == bindparam("memory", type_=Integer),
    ).limit(MOST_COUNTED).subquery()
)  # fmt: skip
_alike = select(
    func.count().label("jobs"), (now() - func.min(_counted.c.submitted_at)).label("waited")
).select_from(_counted)  # fmt: skip
