"""The queries of a claim: which job comes first, and which jobs train with it. They change nothing.

A lane is a queue, a pool (or none) and a stage. The first job of each lane that a worker serves is found by an index,
so jobs that no worker may take, however many, make no claim slower.

A slot leaves jobs of `device: auto` to slots of the other kind where these end them sooner (`auto.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

from sqlalchemy import (
    CTE,
    Boolean,
    ColumnElement,
    Connection,
    Integer,
    String,
    and_,
    bindparam,
    column,
    func,
    literal_column,
    or_,
    select,
    text,
    tuple_,
)

from gradyard.jobs.curves import Summary
from gradyard.jobs.fleet import Queue
from gradyard.store.dialects import for_claiming, now, prefer_order_of_index
from gradyard.store.fleet.auto import GROUP, DeviceChoices, group_of
from gradyard.store.fleet.device_choice import DeviceChoice
from gradyard.store.fleet.eligibility import claimable_by
from gradyard.store.fleet.holds import on_hold
from gradyard.store.fleet.workers import Capabilities, WorkerInfo
from gradyard.store.tables import IS_QUEUED, Job, Worker

MOST_LEFT = 32  # groups of jobs that a slot leaves at one claim; it takes the next, since to look at each costs 1 ms

CLAIM_ORDER = (Job.precedence.desc(), Job.rank, Job.id)
FIGURES = tuple(Summary().columns())
COLUMNS = [(now() - Job.submitted_at).label("waited_seconds")] + [Job.__table__.columns[name] for name in (
    "id", "stage", "numerics_version", "dtype", "steps", "start_step", "attempt", "engine", "pack_key", "max_pack",
    "queue", "pool", "gpu_memory_mib", "project_id", "batch_id", "precedence", "priority", "rank", "cost_seconds",
    "share_seconds", "spec", "resolved", "spec_sha256",
    "failures", "last_error", *FIGURES,
)]  # fmt: skip
_POOL = func.coalesce(Job.pool, literal_column("''"))  # as in the index
_may_claim = ~select(Worker.id).where(Worker.id == bindparam("of_worker"), on_hold).exists()
_LANE = ("queue", "pool", "stage")
_IN_LANE = (Job.queue == bindparam("of_queue"), bindparam("of_pool") == _POOL, Job.stage == bindparam("of_stage"))


@dataclass(frozen=True)
class ClaimQueries:
    """The queries of workers of equal capabilities. Built once: building them costs more than executing them."""

    lanes: Any  # those with a job to claim, the one whose first job comes first before the others
    lanes_but_left: Any  # the same without the groups `left`
    first: Any  # of a lane
    first_but_left: Any
    first_locked: Any
    first_but_left_locked: Any
    waiting: Any  # how many jobs of a key wait, at most `most`, and how many of these are for any device; `with_any`
    riders: Any


@lru_cache(maxsize=32)
def claim_queries(capabilities: Capabilities) -> ClaimQueries:
    """The claim queries of a worker of these capabilities. Cached."""
    able, most, same = claimable_now(capabilities), bindparam("most", type_=Integer), packs_with_head()
    not_left = or_(Job.queue != Queue.ANY, tuple_(*GROUP).not_in(bindparam("left", expanding=True)))
    first = select(*COLUMNS).where(*able, *_IN_LANE).order_by(*CLAIM_ORDER).limit(1)
    waiting = select(Job.queue).where(*able, *same).limit(most).subquery()
    for_any = func.count().filter(waiting.c.queue == Queue.ANY).label("for_any")
    return ClaimQueries(
        lanes=_lanes(capabilities, and_(*able)), lanes_but_left=_lanes(capabilities, and_(*able, not_left)),
        first=first, first_but_left=first.where(not_left),
        first_locked=for_claiming(first), first_but_left_locked=for_claiming(first.where(not_left)),
        waiting=select(func.count().label("all"), for_any).select_from(waiting),
        riders=for_claiming(select(*COLUMNS).where(*able, *same).order_by(*CLAIM_ORDER).limit(most)),
    )  # fmt: skip


def _lanes(capabilities: Capabilities, able: ColumnElement[bool]) -> Any:
    """The lanes of this worker that have such a job, each with its first one's place in the order."""
    lane = _lanes_of(capabilities)
    there = (Job.queue == lane.c.queue, lane.c.pool == _POOL, Job.stage == lane.c.stage)
    first = select(Job.id).where(able, *there).order_by(*CLAIM_ORDER).limit(1).correlate(lane).scalar_subquery()
    found = select(lane.c.queue, lane.c.pool, lane.c.stage, first.label("first")).subquery()
    lanes = select(found.c.queue, found.c.pool, found.c.stage).join(Job, Job.id == found.c.first)
    return lanes.order_by(*CLAIM_ORDER)


def _lanes_of(capabilities: Capabilities) -> CTE:
    queues, pools = (capabilities.queue, Queue.ANY.value), {"", capabilities.pool or ""}
    stages = {stage for stage, _ in capabilities.stages}
    lanes = list(product(queues, sorted(pools), sorted(stages)))
    # As text: SQLAlchemy's `values` is compiled again at each execution, which is half of a claim.
    rows = ", ".join(f"(:lane_queue_{each}, :lane_pool_{each}, :lane_stage_{each})" for each in range(len(lanes)))
    named = "SELECT column1 AS queue, column2 AS pool, column3 AS stage"
    of_lanes = [
        bindparam(f"lane_{name}_{each}", value, String)
        for each, lane in enumerate(lanes) for name, value in zip(_LANE, lane, strict=True)
    ]  # fmt: skip
    written = text(f"{named} FROM (VALUES {rows}) AS lanes").bindparams(*of_lanes)
    return written.columns(*(column(name, String) for name in _LANE)).cte("lane")


def packs_with_head() -> tuple[ColumnElement[bool], ...]:
    """The conditions on rows of `jobs` that may train with the head of a pack; its values are parameters."""
    return (
        Job.pack_key == bindparam("key"), Job.start_step == bindparam("step"), Job.id != bindparam("head"),
        or_(Job.max_pack.is_(None), Job.max_pack > 1), or_(Job.engine.is_(None), Job.engine == bindparam("engine")),
        func.coalesce(Job.gpu_memory_mib, 0) <= bindparam("member_mib", type_=Integer),  # as wide as the head's allow
        or_(bindparam("with_any", type_=Boolean), Job.queue != Queue.ANY),
    )  # fmt: skip


def claimable_now(capabilities: Capabilities) -> list[ColumnElement[bool]]:
    """The conditions on rows of `jobs` that a worker of these capabilities may claim at this moment."""
    return [
        IS_QUEUED,
        or_(Job.not_before.is_(None), Job.not_before <= now()),
        *claimable_by(capabilities),
    ]


def find_head(connection: Connection, worker: WorkerInfo) -> tuple[Any, DeviceChoice | None]:
    """The first job that the worker claims, its row locked, and the choice of its device where that is `auto`.

    None where there is no job, or a hold keeps the worker from claiming. A job that another worker is claiming at this
    moment is passed over.
    """
    if not worker.stages or not connection.execute(_whether_it_may, {"of_worker": worker.id}).scalar_one():
        return None, None
    return _first_not_left(connection, worker.capabilities, locked=True)


_whether_it_may = select(_may_claim)


def something_to_claim(connection: Connection, capabilities: Capabilities) -> bool:
    """Whether a worker of these capabilities would claim a job now. Nothing is claimed or locked."""
    return bool(capabilities.stages) and _first_not_left(connection, capabilities, locked=False)[0] is not None


def _first_not_left(
    connection: Connection, capabilities: Capabilities, *, locked: bool
) -> tuple[Any, DeviceChoice | None]:
    prefer_order_of_index(connection)
    choices, left = DeviceChoices(connection), list[Any]()
    job = next(_firsts(connection, capabilities, left, locked), None)
    while job is not None and job.queue == Queue.ANY:
        choice = choices.of(job)
        if len(left) == MOST_LEFT or not choice.is_left_by(capabilities.queue):
            return job, choice
        left.append(group_of(job))
        job = next(_firsts(connection, capabilities, left, locked), None)
    return job, None


def _firsts(connection: Connection, capabilities: Capabilities, left: list[Any], locked: bool) -> Iterator[Any]:
    """The first job of each lane, the first of all before the others; without those of the groups `left`."""
    ask, but = claim_queries(capabilities), {"left": left} if left else {}
    first = (
        (ask.first_but_left_locked if left else ask.first_locked)
        if locked
        else (ask.first_but_left if left else ask.first)
    )
    for lane in connection.execute(ask.lanes_but_left if left else ask.lanes, but).all():
        of_lane = {"of_queue": lane.queue, "of_pool": lane.pool, "of_stage": lane.stage} | but
        job = connection.execute(first, of_lane).first()
        if job is not None:
            yield job
