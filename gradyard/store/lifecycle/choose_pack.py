"""Which jobs a worker claims together: the first that it may train, and the riders that train with it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from gradyard.jobs.fleet import Queue
from gradyard.jobs.specs.datasets import Dataset, stored_dataset
from gradyard.jobs.stages.registry import stage_named
from gradyard.store.fleet.auto import DeviceChoices
from gradyard.store.fleet.claim_queries import claim_queries
from gradyard.store.fleet.claimable import find_head
from gradyard.store.fleet.idle import idle_slots_for
from gradyard.store.fleet.priorities import VirtualStart
from gradyard.store.fleet.workers import WorkerInfo

MOST_INLINE_POINTS = 1_000_000  # of all data sets of one pack that specs hold themselves


@dataclass(frozen=True)
class ChosenPack:
    """Rows of `jobs`, locked, in claim order; the engine that trains them.

    why_here: of those for any device, why this kind of device takes them. first: the job at whose virtual start they
    are claimed, the first of them or another of its project (`fleet/priorities.py`).
    """

    rows: list[Any]
    engine: str
    why_here: str | None
    first: Any

    def ids(self, *, for_any: bool) -> list[UUID]:
        """The ids of the jobs that were for any device until now, or of the others."""
        return [row.id for row in self.rows if (row.queue == Queue.ANY) is for_any]


def choose_pack(connection: Connection, worker: WorkerInfo, memory_mib: int | None) -> ChosenPack | None:
    """The pack that the worker claims next; None where there is none. memory_mib: the free memory of its GPU."""
    first, choice = find_head(connection, worker)
    if first is None:
        return None
    start = VirtualStart(connection, worker, first)
    head, choice = start.head(choice)
    engine = head.engine or stage_named(head.stage).engine_for(head.spec["execution"], worker.engines)
    widest = _widest(worker, head, engine, memory_mib)
    riders = _riders(connection, worker, start, head, engine, widest) if widest > 1 else []
    start.pay([head, *riders])
    if choice is None and any(row.queue == Queue.ANY for row in riders):
        choice = DeviceChoices(connection).of(head)
    return ChosenPack([head, *riders], engine, choice.sentence(worker.queue) if choice else None, first)


def _widest(worker: WorkerInfo, head: Any, engine: str, memory_mib: int | None) -> int:
    """The most members of a pack with this head, however many wait."""
    dataset = stored_dataset(head.spec["dataset"])
    widest = stage_named(head.stage).width(
        head.dtype, dataset.points, engine, worker.queue, memory_mib, head.gpu_memory_mib
    )
    return min(widest, head.max_pack or widest, worker.most_members, _most_of_dataset(dataset))


def _riders(
    connection: Connection, worker: WorkerInfo, start: VirtualStart, head: Any, engine: str, widest: int
) -> list[Any]:
    """Jobs of the head's pack key: no more than this slot's share among the idle slots that could take them too."""
    ask = claim_queries(worker.capabilities)
    same = {"key": head.pack_key, "step": head.start_step, "head": head.id, "engine": engine,
            "member_mib": head.gpu_memory_mib or 0, "with_any": True}  # fmt: skip
    waiting = connection.execute(ask.waiting, same | {"most": widest}).one()
    if waiting.for_any and head.queue != Queue.ANY and DeviceChoices(connection).of(head).is_left_by(worker.queue):
        same["with_any"] = False
    if waiting.all == 0:
        return []
    slots, others = idle_slots_for(connection, worker, head), waiting.all
    if (waiting.all == widest and slots > 1) or not same["with_any"]:  # there may be more, or fewer
        others = connection.execute(ask.waiting, same | {"most": widest * slots}).one().all
    share = -(-(others + 1) // slots)
    most = min(widest, share) - 1
    riders = connection.execute(ask.riders, same | {"most": most}).all()
    return _who_fit(start.riders(same, riders, most), widest)


def _who_fit(rows: list[Any], widest: int) -> list[Any]:
    """The riders, in claim order, with which the pack is no wider than any member's `max_pack`."""
    riders: list[Any] = []
    for row in rows:
        allowed = min(widest, row.max_pack or widest)
        if len(riders) + 2 <= allowed:
            riders.append(row)
            widest = allowed
    return riders


def _most_of_dataset(dataset: Dataset) -> int:
    """How many such data sets may go to a runner at once. Those that a spec holds itself are sent in full."""
    return max(1, MOST_INLINE_POINTS // dataset.points) if dataset.is_sent_in_full else MOST_INLINE_POINTS
