"""The claim order: start-time fair queueing (Goyal, Vin and Cheng, 1996), computed at submit.

A flow is a batch, or the jobs of a project that were submitted one by one. Each job has a virtual start, its `rank` in
seconds. The first job of a flow starts where the workers are now, each other one where the job before it ends: after
its cost, times the number of flows that share the project. So flows share the workers by the seconds that their jobs
train, and a new flow does not wait for the backlog of others.

A project gains little by splitting its work: N waiting batches of one project weigh 1 + 1/2 + ... + 1/N, not N,
beside one batch of another project.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Double, Integer, Row, bindparam, func, literal_column, or_, select, update
from sqlalchemy import cast as as_type

from gradyard.jobs.fleet import WORKER_QUEUES
from gradyard.jobs.specs.base import JobSpec
from gradyard.jobs.states import State
from gradyard.store.dialects import now
from gradyard.store.tables import Batch, Job, Worker

SECONDS_A_STEP, SECONDS_A_POINT_STEP = 3e-5, 5e-9  # of a job alone and eager; about the same for every stage
FLOWS_COUNTED = 16  # batches of a project, the newest first
SINGLES_LOOKED_AT = 64  # newest single jobs of a project, to find the last of a priority
WAITING_LOOKED_AT = 256


def seconds_alone(spec: JobSpec) -> float:
    """About how long the job would train alone on one core: the cost by which flows are weighed."""
    return spec.steps * (SECONDS_A_STEP + spec.dataset.points * SECONDS_A_POINT_STEP)


def claim_order_of_batch(connection: Connection, project_id: int, specs: Sequence[JobSpec]) -> list[dict[str, float]]:
    """Rank, cost and share of each job of a new batch, in its order. Keys are columns of `jobs`."""
    flows = connection.execute(_flows, {"project": project_id}).scalar_one() + 1
    next_rank: dict[tuple[str, int], float] = {}
    orders = []
    for spec in specs:
        among = spec.device, spec.priority
        if among not in next_rank:
            next_rank[among] = _virtual_now(connection, *among)
        orders.append(_claim_order(next_rank[among], spec, flows))
        next_rank[among] += orders[-1]["share_seconds"]
    return orders


def claim_order_of_job(connection: Connection, project_id: int, spec: JobSpec) -> dict[str, float]:
    """Rank, cost and share of a single job, behind the last single job of its project. Keys are columns of `jobs`."""
    flows = connection.execute(_flows, {"project": project_id}).scalar_one() + 1
    last = connection.execute(_end_of_singles, {"project": project_id, "priority": spec.priority}).scalar()
    here = _virtual_now(connection, spec.device, spec.priority)
    return _claim_order(max(here, last or here), spec, flows)


def _claim_order(rank: float, spec: JobSpec, flows: int) -> dict[str, float]:
    cost = seconds_alone(spec)
    return {"rank": rank, "cost_seconds": cost, "share_seconds": cost * flows}


def advance_virtual_time(connection: Connection, worker_id: UUID, head: Row[Any]) -> None:
    """Note that the worker claimed this job: its virtual time becomes the job's rank, if that is later."""
    taken = {"of_worker": worker_id, "of_priority": head.priority, "of_rank": head.rank}
    connection.execute(_serve, taken)


def _virtual_now(connection: Connection, device: str, priority: int) -> float:
    """The virtual time of that device's workers among jobs of that priority, or of the first such job that waits."""
    queues = list(WORKER_QUEUES) if device == "auto" else [device]
    return float(connection.execute(_here, {"queues": queues, "priority": priority}).scalar_one())


_waiting = select(Job.id).where(Job.batch_id == Batch.id, Job.state == State.QUEUED).exists()
_newest_batches = (
    select(Batch.id).where(Batch.project_id == bindparam("project")).order_by(Batch.id.desc()).limit(FLOWS_COUNTED)
).subquery()  # fmt: skip
_flows = select(func.count()).select_from(Batch).where(Batch.id.in_(select(_newest_batches.c.id)), _waiting)

_singles = (
    select(Job.rank, Job.share_seconds, Job.priority, Job.id)
    .where(Job.project_id == bindparam("project"), Job.batch_id.is_(None))
    .order_by(Job.id.desc()).limit(SINGLES_LOOKED_AT)
).subquery()  # fmt: skip
_end_of_singles = (
    select(_singles.c.rank + func.coalesce(_singles.c.share_seconds, 0.0))
    .where(_singles.c.priority == bindparam("priority")).order_by(_singles.c.id.desc()).limit(1)
)  # fmt: skip

_queues: Any = bindparam("queues", expanding=True)
_served = select(func.max(Worker.served_rank)).where(
    Worker.queue.in_(_queues), Worker.served_priority == bindparam("priority", type_=Integer)
)
# Where no worker serves this priority, virtual time is that of the first job that waits for nothing but a worker.
_ahead = (
    select(Job.rank, Job.queue, Job.pool, Job.not_before)
    .where(Job.state == literal_column("'queued'"), Job.priority == bindparam("priority", type_=Integer))
    .order_by(Job.rank).limit(WAITING_LOOKED_AT)
).subquery()  # fmt: skip
_first = select(func.min(_ahead.c.rank)).where(
    _ahead.c.queue.in_(_queues), _ahead.c.pool.is_(None), _ahead.c.not_before.is_(None)
)
_here = select(func.coalesce(_served.scalar_subquery(), _first.scalar_subquery(), now()))

_rank, _priority = as_type(bindparam("of_rank"), Double), bindparam("of_priority", type_=Integer)
_is_further = or_(Worker.served_rank.is_(None), Worker.served_priority != _priority, Worker.served_rank < _rank)
_serve = (
    update(Worker)
    .where(Worker.id == bindparam("of_worker"), _is_further)
    .values(served_priority=_priority, served_rank=_rank)
)
