"""Whose turn it is: start-time fair queueing (Goyal, Vin and Cheng, 1996), filled in at submit.

A flow is a batch, or the jobs of a project that came one by one. Its jobs stand one behind the other in virtual
seconds, their `rank`: each as far behind the last as that one takes of its flow's share, the first where the workers
are now. So flows take turns by the seconds that their jobs train, and one that comes late waits for no backlog.

A batch of a project that has others waiting takes a smaller share, so that a project gains little by splitting its
work: N waiting batches of one project weigh 1 + 1/2 + ... + 1/N, not N, beside one batch of another.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Double, Integer, Row, bindparam, func, literal_column, or_, select, update
from sqlalchemy import cast as as_type

from gradyard.jobs.specs.base import JobSpec
from gradyard.jobs.states import State
from gradyard.store.database import now
from gradyard.store.tables import Batch, Job, Worker

SECONDS_A_STEP, SECONDS_A_POINT_STEP = 3e-5, 5e-9  # of a job alone, eager, about the same for every stage
FLOWS_COUNTED = 16  # batches of a project, the newest first
SINGLES_LOOKED_AT = 64  # newest jobs of a project, for the last of a priority
WAITING_LOOKED_AT = 256


def seconds_alone(spec: JobSpec) -> float:
    """About how long the job would train on one core without company: the measure that flows are weighed by."""
    return spec.steps * (SECONDS_A_STEP + spec.dataset.points * SECONDS_A_POINT_STEP)


def claim_order_of_batch(connection: Connection, project_id: int, specs: Sequence[JobSpec]) -> list[dict[str, float]]:
    """Rank, cost and share of each job of a new batch, in order, by the names of the columns of `jobs`."""
    flows = connection.execute(_flows, {"project": project_id}).scalar_one() + 1
    ahead: dict[tuple[str, int], float] = {}
    found = []
    for spec in specs:
        line = spec.device, spec.priority
        if line not in ahead:
            ahead[line] = _virtual_now(connection, *line)
        found.append(_claim_order(ahead[line], spec, flows))
        ahead[line] += found[-1]["share_seconds"]
    return found


def claim_order_of_job(connection: Connection, project_id: int, spec: JobSpec) -> dict[str, float]:
    """Rank, cost and share of a job that comes alone, behind the last one of its project that did."""
    flows = connection.execute(_flows, {"project": project_id}).scalar_one() + 1
    last = connection.execute(_end_of_singles, {"project": project_id, "priority": spec.priority}).scalar()
    here = _virtual_now(connection, spec.device, spec.priority)
    return _claim_order(max(here, last or here), spec, flows)


def _claim_order(rank: float, spec: JobSpec, flows: int) -> dict[str, float]:
    cost = seconds_alone(spec)
    return {"rank": rank, "cost_seconds": cost, "share_seconds": cost * flows}


def advance_virtual_time(connection: Connection, worker_id: UUID, head: Row[Any]) -> None:
    """The worker has taken this job: virtual time goes on, and never back."""
    taken = {"of_worker": worker_id, "of_priority": head.priority, "of_rank": head.rank}
    connection.execute(_serve, taken)


def _virtual_now(connection: Connection, device: str, priority: int) -> float:
    """Where the workers of that device are in the jobs of that priority, or where they will begin."""
    queues = ["cpu", "gpu"] if device == "auto" else [device]
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
# Nobody serves this priority now: the next is the first of those that wait for nothing but a worker.
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
