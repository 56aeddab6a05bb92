"""The queries of a claim: which job comes first, and which jobs train with it. They change nothing.

A lane is a queue, a pool (or none) and a stage. The first job of each lane that a worker serves is found by an index,
so jobs that no worker may take, however many, make no claim slower.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

from sqlalchemy import (
    CTE,
    Boolean,
    ColumnElement,
    Integer,
    Select,
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
from sqlalchemy.orm import aliased

from gradyard.jobs.curves import Summary
from gradyard.jobs.fleet import Queue
from gradyard.jobs.states import State
from gradyard.store.dialects import for_claiming, now
from gradyard.store.fleet.auto import GROUP
from gradyard.store.fleet.eligibility import claimable_by
from gradyard.store.fleet.holds import on_hold
from gradyard.store.fleet.workers import Capabilities
from gradyard.store.planners import planned_once
from gradyard.store.tables import IS_QUEUED, Job, Worker

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
_IN_LANE = (Job.queue == planned_once("of_queue"), bindparam("of_pool") == _POOL, Job.stage == bindparam("of_stage"))

_peer = aliased(Job)
_priorities = select(_peer.priority).where(  # of the jobs that wait in the line of a job
    _peer.state == literal_column(f"'{State.QUEUED}'"), _peer.project_id == Job.project_id, _peer.queue == Job.queue,
    _peer.precedence == Job.precedence,
).limit(1).correlate(Job)  # fmt: skip
_OF_FIRST = [
    _priorities.order_by(_peer.priority.desc()).scalar_subquery().label("highest_priority"),
    _priorities.order_by(_peer.priority).scalar_subquery().label("lowest_priority"), *COLUMNS,
]  # fmt: skip


@dataclass(frozen=True)
class ClaimQueries:
    """The queries of workers of equal capabilities. Built once: building them costs more than executing them."""

    first: Any  # of all lanes, unless a hold names `of_worker`
    first_but_left: Any  # the same without the groups `left`
    lanes: Any  # those with a job to claim, the one whose first job comes first before the others
    lanes_but_left: Any
    first_of_lane: Any  # locked, or where another worker has it the next one
    first_of_lane_but_left: Any
    waiting: Any  # how many jobs of a key wait, at most `most`, and how many of these are for any device; `with_any`
    riders: Any


@lru_cache(maxsize=32)
def claim_queries(capabilities: Capabilities) -> ClaimQueries:
    """The claim queries of a worker of these capabilities. Cached."""
    able, most, same = claimable_now(capabilities), bindparam("most", type_=Integer), packs_with_head()
    not_left = or_(Job.queue != Queue.ANY, tuple_(*GROUP).not_in(bindparam("left", expanding=True)))
    lane = select(*_OF_FIRST).where(*able, *_IN_LANE).order_by(*CLAIM_ORDER).limit(1)
    waiting = select(Job.queue).where(*able, *same).limit(most).subquery()
    for_any = func.count().filter(waiting.c.queue == Queue.ANY).label("for_any")
    first, lanes = _firsts_of_lanes(capabilities, and_(*able))
    first_but_left, lanes_but_left = _firsts_of_lanes(capabilities, and_(*able, not_left))
    return ClaimQueries(
        first, first_but_left, lanes, lanes_but_left, for_claiming(lane), for_claiming(lane.where(not_left)),
        waiting=select(func.count().label("all"), for_any).select_from(waiting),
        riders=for_claiming(select(*COLUMNS).where(*able, *same).order_by(*CLAIM_ORDER).limit(most)),
    )  # fmt: skip


def _firsts_of_lanes(capabilities: Capabilities, able: ColumnElement[bool]) -> tuple[Select[Any], Select[Any]]:
    """The first such job of this worker's lanes; and the lanes that have one, in the order of their first jobs."""
    lane = _lanes_of(capabilities)
    there = (Job.queue == lane.c.queue, lane.c.pool == _POOL, Job.stage == lane.c.stage)
    first = select(Job.id).where(able, *there).order_by(*CLAIM_ORDER).limit(1).correlate(lane).scalar_subquery()
    found = select(lane.c.queue, lane.c.pool, lane.c.stage, first.label("first")).subquery()

    def asked(*columns: Any) -> Select[Any]:
        of_lanes = select(*columns).select_from(found).join(Job, Job.id == found.c.first)
        return of_lanes.where(_may_claim).order_by(*CLAIM_ORDER)

    return asked(*_OF_FIRST).limit(1), asked(found.c.queue, found.c.pool, found.c.stage)


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
