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

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
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
MEMBERS_LOOKED_AT = 64


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
    return _orders(connection, project_id, [work_of(spec) for spec in specs], precedence, lambda device: None)


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

    def end_of_singles(device: str) -> float | None:
        line = {"project": project_id, "queue": Queue.ANY if device == "auto" else device}
        return connection.execute(_end_of_singles, line | {"precedence": precedence}).scalar()

    return _orders(connection, project_id, work, precedence, end_of_singles)


def order_of_members(
    connection: Connection, project_id: int, batch_id: UUID, work: Sequence[Work], precedence: int
) -> list[dict[str, float]]:
    """Precedence, rank, cost and share of such work in a batch, behind what of the batch may be claimed already."""
    last = connection.execute(_end_of_members, {"batch": batch_id, "precedence": precedence}).scalar()
    return _orders(connection, project_id, work, precedence, lambda device: last, own=batch_id)


def no_claim_order(spec: JobSpec, precedence: int) -> dict[str, float]:
    """Precedence, cost, and no rank yet, of a job that waits for others: until it could run it is no backlog.

    Keys are columns of `jobs`.
    """
    return {"precedence": precedence, "rank": 0.0, "cost_seconds": seconds_alone(spec), "share_seconds": 0.0}


def _orders(
    connection: Connection, project_id: int, work: Sequence[Work], precedence: int,
    end_of: Callable[[str], float | None], own: UUID | None = None,
) -> list[dict[str, float]]:  # fmt: skip
    """The claim order of these jobs of one flow, behind the end that it has for their device. own: their batch."""
    flows = connection.execute(_flows, {"project": project_id, "own": own or UUID(int=0)}).scalar_one() + 1
    next_rank: dict[str, float] = {}
    orders = []
    for device, cost in work:
        if device not in next_rank:
            here = _virtual_now(connection, device, precedence)
            next_rank[device] = max(here, end_of(device) or here)
        share = cost * flows
        orders.append({
            "precedence": precedence, "rank": next_rank[device], "cost_seconds": cost, "share_seconds": share
        })  # fmt: skip
        next_rank[device] += share
    return orders


def advance_virtual_time(connection: Connection, worker_id: UUID, first: Row[Any]) -> None:
    """Note that the worker claimed at this job's virtual start: that is its virtual time now, if it is later."""
    taken = {"of_worker": worker_id, "of_precedence": first.precedence, "of_rank": first.rank}
    connection.execute(_serve, taken)


def _virtual_now(connection: Connection, device: str, precedence: int) -> float:
    """The virtual time of that device's workers at that precedence, or of the first such job that waits."""
    queues = list(WORKER_QUEUES) if device == "auto" else [device]
    these = {"first": queues[0], "second": queues[-1], "precedence": precedence}
    return float(connection.execute(_here, these).scalar_one())


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
_end_of_singles = (
    select(Job.rank + func.coalesce(Job.share_seconds, 0.0))
    .where(
        Job.project_id == bindparam("project"), Job.queue == bindparam("queue"),
        Job.precedence == bindparam("precedence", type_=Integer), _is_single,
    ).order_by(Job.rank.desc()).limit(1)
)  # fmt: skip

_end_of_members = select(func.max(Job.rank + func.coalesce(Job.share_seconds, 0.0))).where(
    Job.batch_id == bindparam("batch"), IS_QUEUED, Job.queue != Queue.BLOCKED,
    Job.precedence == bindparam("precedence", type_=Integer),
)  # fmt: skip

_precedence = bindparam("precedence", type_=Integer)
_served = select(func.max(Worker.served_rank)).where(
    Worker.queue.in_([bindparam("first"), bindparam("second")]), Worker.served_precedence == _precedence
)


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
