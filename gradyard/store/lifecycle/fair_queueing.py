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
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Connection,
    Double,
    Integer,
    Row,
    Select,
    bindparam,
    func,
    null,
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
from gradyard.store.planners import planned_once
from gradyard.store.tables import IS_QUEUED, Batch, Job, Worker

SECONDS_A_STEP, SECONDS_A_POINT_STEP = 3e-5, 5e-9  # of a job alone and eager; about the same for every stage
FLOWS_COUNTED = 16  # batches of a project, the newest first
WAITING_LOOKED_AT = 256
MEMBERS_LOOKED_AT = 64
_NONE = UUID(int=0)  # no batch


def seconds_alone(spec: JobSpec) -> float:
    """About how long the job would train alone on one core: the cost by which flows are weighed."""
    return spec.steps * (SECONDS_A_STEP + spec.dataset.points * SECONDS_A_POINT_STEP)


class Work(NamedTuple):
    """What of a job decides its place: its `device`, and how long it would train alone."""

    device: str
    cost_seconds: float


def work_of(spec: JobSpec) -> Work:
    """What of this spec decides its place in the claim order."""
    return Work(spec.device, seconds_alone(spec))


def claim_order_of_batch(
    connection: Connection, project_id: int, specs: Sequence[JobSpec], precedence: int = 0
) -> list[dict[str, float]]:
    """Precedence, rank, cost and share of each job of a new batch, in its order. Keys are columns of `jobs`."""
    work = [work_of(spec) for spec in specs]
    return _orders(connection, _begin_of_batch, work, precedence, {"project": project_id, "own": _NONE})


def claim_order_of_jobs(
    connection: Connection, project_id: int, specs: Sequence[JobSpec], precedence: int = 0
) -> list[dict[str, float]]:
    """Precedence, rank, cost and share of single jobs, one behind the other, behind the last one of their project.

    Keys are columns of `jobs`.
    """
    return order_of_singles(connection, project_id, [work_of(spec) for spec in specs], precedence)


def order_of_singles(
    connection: Connection, project_id: int, work: Sequence[Work], precedence: int
) -> list[dict[str, float]]:
    """Precedence, rank, cost and share of such work in single jobs, behind the last one of the project."""
    return _orders(connection, _begin_of_singles, work, precedence, {"project": project_id, "own": _NONE})


def order_of_members(
    connection: Connection, project_id: int, batch_id: UUID, work: Sequence[Work], precedence: int
) -> list[dict[str, float]]:
    """Precedence, rank, cost and share of such work in a batch, behind what of the batch may be claimed already."""
    return _orders(connection, _begin_of_members, work, precedence, {"project": project_id, "own": batch_id})


def no_claim_order(spec: JobSpec, precedence: int) -> dict[str, float]:
    """Precedence, cost, and no rank yet, of a job that waits for others: until it could run it is no backlog.

    Keys are columns of `jobs`.
    """
    return {"precedence": precedence, "rank": 0.0, "cost_seconds": seconds_alone(spec), "share_seconds": 0.0}


def _orders(
    connection: Connection, begin: Select[Any], work: Sequence[Work], precedence: int, of_flow: dict[str, Any]
) -> list[dict[str, float]]:
    """The claim order of these jobs of one flow, behind the end that it has for their device.

    begin: asks for what the flow begins with (`_begin_behind`); of_flow: its parameters.
    """
    flows, next_rank, orders = 0, dict[str, float](), list[dict[str, float]]()
    for device, cost in work:
        if device not in next_rank:
            about = of_flow | _workers_of(device) | {"precedence": precedence}
            flows, here, end = connection.execute(begin, about).one()
            next_rank[device] = max(here, end or here)
        share = cost * (flows + 1)
        orders.append({
            "precedence": precedence, "rank": next_rank[device], "cost_seconds": cost, "share_seconds": share
        })  # fmt: skip
        next_rank[device] += share
    return orders


def _workers_of(device: str) -> dict[str, str]:
    """The queue of jobs for this device, and the one or two queues whose workers may take them."""
    if device == "auto":
        return {"queue": Queue.ANY, "first": WORKER_QUEUES[0], "second": WORKER_QUEUES[-1]}
    return {"queue": device, "first": device, "second": device}


def advance_virtual_time(connection: Connection, worker_id: UUID, first: Row[Any]) -> None:
    """Note that the worker claimed at this job's virtual start: that is its virtual time now, if it is later."""
    taken = {"of_worker": worker_id, "of_precedence": first.precedence, "of_rank": first.rank}
    connection.execute(_serve, taken)


# A batch whose first jobs all wait for others is no flow yet: those that wait may be a hundred thousand.
_ahead = (
    select(Job.queue).where(Job.batch_id == Batch.id, IS_QUEUED).order_by(Job.id).limit(MEMBERS_LOOKED_AT)
    .correlate(Batch).subquery()
)  # fmt: skip
_waiting = select(_ahead.c.queue).where(_ahead.c.queue != Queue.BLOCKED).correlate(Batch).exists()
_newest_batches = (
    select(Batch.id).where(Batch.project_id == bindparam("project")).order_by(Batch.id.desc()).limit(FLOWS_COUNTED)
).subquery()  # fmt: skip
_flows = select(func.count()).select_from(Batch).where(
    Batch.id.in_(select(_newest_batches.c.id)), Batch.id != bindparam("own"), _waiting
)  # fmt: skip

# The condition is that of its index, word for word: else SQLite does not use it.
_is_single = text("batch_id IS NULL AND state IN ('queued', 'running')")
_precedence = bindparam("precedence", type_=Integer)
_end, _is_alike = Job.rank + func.coalesce(Job.share_seconds, 0.0), Job.precedence == _precedence
_end_of_singles = select(_end).where(
    Job.project_id == bindparam("project"), Job.queue == planned_once("queue"), _is_alike, _is_single
).order_by(Job.rank.desc()).limit(1)  # fmt: skip
_end_of_members = select(func.max(_end)).where(
    Job.batch_id == bindparam("own"), IS_QUEUED, Job.queue != Queue.BLOCKED, _is_alike
)
_served = select(func.max(Worker.served_rank)).where(
    Worker.queue.in_([bindparam("first"), bindparam("second")]), Worker.served_precedence == _precedence
)


def _first_waiting(queue: str) -> Any:
    """The rank of the first job of a queue that waits for nothing but a worker."""
    ahead = (
        select(Job.rank, Job.pool, Job.not_before)
        .where(IS_QUEUED, Job.queue == planned_once(queue), _is_alike)
        .order_by(Job.rank).limit(WAITING_LOOKED_AT).subquery()
    )  # fmt: skip
    return select(func.min(ahead.c.rank).label("rank")).where(ahead.c.pool.is_(None), ahead.c.not_before.is_(None))


# Where no worker serves this precedence, virtual time is that of the first job that waits; of two queues the later one.
_first = select(func.max(union_all(_first_waiting("first"), _first_waiting("second")).subquery().c.rank))
_virtual_now = func.coalesce(_served.scalar_subquery(), _first.scalar_subquery(), now())


def _begin_behind(end: Any) -> Select[Any]:
    """How many other flows share the project, the virtual time of the device's workers, and the end of the flow."""
    return select(_flows.scalar_subquery(), _virtual_now, end)


# One statement each: a submission waits for each answer, with the write lock of SQLite held.
_begin_of_batch = _begin_behind(null())
_begin_of_singles = _begin_behind(_end_of_singles.scalar_subquery())
_begin_of_members = _begin_behind(_end_of_members.scalar_subquery())

_rank, _taken = as_type(bindparam("of_rank"), Double), bindparam("of_precedence", type_=Integer)
_is_further = or_(Worker.served_rank.is_(None), Worker.served_precedence != _taken, Worker.served_rank < _rank)
_serve = (
    update(Worker)
    .where(Worker.id == bindparam("of_worker"), _is_further)
    .values(served_precedence=_taken, served_rank=_rank)
)
