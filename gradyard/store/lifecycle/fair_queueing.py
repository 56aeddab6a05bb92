"""The claim order: start-time fair queueing (Goyal, Vin and Cheng, 1996), computed at submit.

A flow is a batch, or the jobs of a project for one kind of device that were submitted one by one. Each job has a
virtual start, its `rank` in seconds. The first job of a flow starts where the workers are now, each other one where the
job before it ends: after its cost, times the number of flows that share the project. So flows share the workers by the
seconds that their jobs train, and a new flow does not wait for the backlog of others. Jobs that are queued or running
count: one that was cancelled gives its share back.

Ranks are compared within one `precedence`; which job of a project is claimed at a virtual start is said by
`fleet/priorities.py`.

A project gains little by splitting its work: N waiting batches of one project weigh 1 + 1/2 + ... + 1/N, not N,
beside one batch of another project.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Connection,
    Double,
    Integer,
    Row,
    bindparam,
    func,
    or_,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy import cast as as_type

from gradyard.jobs.fleet import WORKER_QUEUES, Queue
from gradyard.jobs.specs.base import JobSpec
from gradyard.store.dialects import now
from gradyard.store.tables import IS_QUEUED, Batch, Job, Worker

SECONDS_A_STEP, SECONDS_A_POINT_STEP = 3e-5, 5e-9  # of a job alone and eager; about the same for every stage
FLOWS_COUNTED = 16  # batches of a project, the newest first
WAITING_LOOKED_AT = 256


def seconds_alone(spec: JobSpec) -> float:
    """About how long the job would train alone on one core: the cost by which flows are weighed."""
    return spec.steps * (SECONDS_A_STEP + spec.dataset.points * SECONDS_A_POINT_STEP)


def claim_order_of_batch(
    connection: Connection, project_id: int, specs: Sequence[JobSpec], precedence: int = 0
) -> list[dict[str, float]]:
    """Precedence, rank, cost and share of each job of a new batch, in its order. Keys are columns of `jobs`."""
    flows = connection.execute(_flows, {"project": project_id}).scalar_one() + 1
    next_rank: dict[str, float] = {}
    orders = []
    for spec in specs:
        if spec.device not in next_rank:
            next_rank[spec.device] = _virtual_now(connection, spec.device, precedence)
        orders.append(_claim_order(next_rank[spec.device], spec, flows, precedence))
        next_rank[spec.device] += orders[-1]["share_seconds"]
    return orders


def claim_order_of_job(connection: Connection, project_id: int, spec: JobSpec, precedence: int = 0) -> dict[str, float]:
    """Precedence, rank, cost and share of a single job, behind the last one of its project and kind of device.

    Keys are columns of `jobs`.
    """
    flows = connection.execute(_flows, {"project": project_id}).scalar_one() + 1
    line = {"project": project_id, "queue": Queue.ANY if spec.device == "auto" else spec.device}
    last = connection.execute(_end_of_singles, line | {"precedence": precedence}).scalar()
    here = _virtual_now(connection, spec.device, precedence)
    return _claim_order(max(here, last or here), spec, flows, precedence)


def _claim_order(rank: float, spec: JobSpec, flows: int, precedence: int) -> dict[str, float]:
    cost = seconds_alone(spec)
    return {"precedence": precedence, "rank": rank, "cost_seconds": cost, "share_seconds": cost * flows}


def advance_virtual_time(connection: Connection, worker_id: UUID, first: Row[Any]) -> None:
    """Note that the worker claimed at this job's virtual start: that is its virtual time now, if it is later."""
    taken = {"of_worker": worker_id, "of_precedence": first.precedence, "of_rank": first.rank}
    connection.execute(_serve, taken)


def _virtual_now(connection: Connection, device: str, precedence: int) -> float:
    """The virtual time of that device's workers at that precedence, or of the first such job that waits."""
    queues = list(WORKER_QUEUES) if device == "auto" else [device]
    these = {"queues": queues, "first": queues[0], "second": queues[-1], "precedence": precedence}
    return float(connection.execute(_here, these).scalar_one())


_waiting = select(Job.id).where(Job.batch_id == Batch.id, IS_QUEUED).exists()
_newest_batches = (
    select(Batch.id).where(Batch.project_id == bindparam("project")).order_by(Batch.id.desc()).limit(FLOWS_COUNTED)
).subquery()  # fmt: skip
_flows = select(func.count()).select_from(Batch).where(Batch.id.in_(select(_newest_batches.c.id)), _waiting)

# The condition is that of its index, word for word: else SQLite does not use it.
_is_single = text("batch_id IS NULL AND state IN ('queued', 'running')")
_end_of_singles = (
    select(Job.rank + func.coalesce(Job.share_seconds, 0.0))
    .where(
        Job.project_id == bindparam("project"), Job.queue == bindparam("queue"),
        Job.precedence == bindparam("precedence", type_=Integer), _is_single,
    ).order_by(Job.rank.desc()).limit(1)
)  # fmt: skip

_queues: Any = bindparam("queues", expanding=True)
_precedence = bindparam("precedence", type_=Integer)
_served = select(func.max(Worker.served_rank)).where(Worker.queue.in_(_queues), Worker.served_precedence == _precedence)


def _first_waiting(queue: str) -> Any:
    """The rank of the first job of a queue that waits for nothing but a worker."""
    ahead = (
        select(Job.rank, Job.pool, Job.not_before)
        .where(IS_QUEUED, Job.queue == bindparam(queue), Job.precedence == _precedence)
        .order_by(Job.rank).limit(WAITING_LOOKED_AT).subquery()
    )  # fmt: skip
    return select(func.min(ahead.c.rank).label("rank")).where(ahead.c.pool.is_(None), ahead.c.not_before.is_(None))


# Where no worker serves this precedence, virtual time is that of the first job that waits; of two queues the later one.
_firsts = union_all(_first_waiting("first"), _first_waiting("second")).subquery()
_first = select(func.max(_firsts.c.rank))
_here = select(func.coalesce(_served.scalar_subquery(), _first.scalar_subquery(), now()))

_rank, _taken = as_type(bindparam("of_rank"), Double), bindparam("of_precedence", type_=Integer)
_is_further = or_(Worker.served_rank.is_(None), Worker.served_precedence != _taken, Worker.served_rank < _rank)
_serve = (
    update(Worker)
    .where(Worker.id == bindparam("of_worker"), _is_further)
    .values(served_precedence=_taken, served_rank=_rank)
)
