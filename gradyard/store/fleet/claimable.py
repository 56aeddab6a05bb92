"""The queries of a claim: which job comes first, and which jobs train with it. They change nothing.

A slot leaves jobs of `device: auto` to slots of the other kind where these end them sooner (`auto.py`).
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Integer,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)

from gradyard.jobs.curves import Summary
from gradyard.jobs.fleet import Queue
from gradyard.store.dialects import for_claiming, now
from gradyard.store.fleet.auto import GROUP, DeviceChoices, group_of
from gradyard.store.fleet.device_choice import DeviceChoice
from gradyard.store.fleet.eligibility import claimable_by
from gradyard.store.fleet.holds import on_hold
from gradyard.store.fleet.workers import Capabilities, WorkerInfo
from gradyard.store.tables import Job, Worker

MOST_LEFT = 32  # groups of jobs that a slot leaves at one claim; it takes the next, since to look at each costs 1 ms

FIGURES = tuple(Summary().columns())
_COLUMNS = [(now() - Job.submitted_at).label("waited_seconds")] + [Job.__table__.columns[name] for name in (
    "id", "stage", "numerics_version", "dtype", "steps", "start_step", "attempt", "engine", "pack_key", "max_pack",
    "queue", "pool", "gpu_memory_mib", "project_id", "priority", "rank", "spec", "resolved", "warnings", "spec_sha256",
    "failures", "last_error", *FIGURES,
)]  # fmt: skip
_may_claim = ~select(Worker.id).where(Worker.id == bindparam("of_worker"), on_hold).exists()


@dataclass(frozen=True)
class ClaimQueries:
    """The queries of workers of equal capabilities. Built once: building them costs more than executing them."""

    any: Any  # a row where there is a head
    any_but_left: Any  # the same without the groups `left`
    head: Any
    head_but_left: Any
    waiting: Any  # how many jobs of a key wait, at most `most`, and how many of these are for any device; `with_any`
    riders: Any


@lru_cache(maxsize=32)
def claim_queries(capabilities: Capabilities) -> ClaimQueries:
    """The claim queries of a worker of these capabilities. Cached."""
    claim_order = (Job.priority.desc(), Job.rank, Job.id)
    able, most = _claimable_now(capabilities), bindparam("most", type_=Integer)
    not_left = or_(Job.queue != Queue.ANY, tuple_(*GROUP).not_in(bindparam("left", expanding=True)))
    same = (
        Job.pack_key == bindparam("key"), Job.start_step == bindparam("step"), Job.id != bindparam("head"),
        or_(Job.max_pack.is_(None), Job.max_pack > 1), or_(Job.engine.is_(None), Job.engine == bindparam("engine")),
        func.coalesce(Job.gpu_memory_mib, 0) <= bindparam("member_mib", type_=Integer),  # as wide as the head's allow
        or_(bindparam("with_any", type_=Boolean), Job.queue != Queue.ANY),
    )  # fmt: skip
    any_job = select(*_COLUMNS).where(*able).limit(1)
    head = select(*_COLUMNS).where(*able, _may_claim).order_by(*claim_order).limit(1)
    waiting = select(Job.queue).where(*able, *same).limit(most).subquery()
    for_any = func.count().filter(waiting.c.queue == Queue.ANY).label("for_any")
    return ClaimQueries(
        any=any_job, any_but_left=any_job.where(not_left),
        head=for_claiming(head), head_but_left=for_claiming(head.where(not_left)),
        waiting=select(func.count().label("all"), for_any).select_from(waiting),
        riders=for_claiming(select(*_COLUMNS).where(*able, *same).order_by(*claim_order).limit(most)),
    )  # fmt: skip


def _claimable_now(capabilities: Capabilities) -> list[ColumnElement[bool]]:
    return [
        Job.state == literal_column("'queued'"),  # a literal, so that the partial index serves
        or_(Job.not_before.is_(None), Job.not_before <= now()),
        *claimable_by(capabilities),
    ]


def find_head(connection: Connection, worker: WorkerInfo) -> tuple[Any, DeviceChoice | None]:
    """The first job that the worker claims, its row locked, and the choice of its device where that is `auto`.

    None where there is no job, or a hold keeps the worker from claiming.
    """
    ask = claim_queries(worker.capabilities)
    return _first_not_left(connection, worker.queue, ask.head, ask.head_but_left, {"of_worker": worker.id})


def something_to_claim(connection: Connection, capabilities: Capabilities) -> bool:
    """Whether a worker of these capabilities would claim a job now. Nothing is claimed or locked."""
    ask = claim_queries(capabilities)
    return _first_not_left(connection, capabilities.queue, ask.any, ask.any_but_left, {})[0] is not None


def _first_not_left(
    connection: Connection, queue: str, first: Any, but_left: Any, values: dict[str, Any]
) -> tuple[Any, DeviceChoice | None]:
    choices, left = DeviceChoices(connection), list[Any]()
    job = connection.execute(first, values).first()
    while job is not None and job.queue == Queue.ANY:
        choice = choices.of(job)
        if len(left) == MOST_LEFT or not choice.is_left_by(queue):
            return job, choice
        left.append(group_of(job))
        job = connection.execute(but_left, values | {"left": left}).first()
    return job, None
