"""When a queued job will start: what is before it, how fast such jobs were, when slots get free."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, case, func, or_, select

from gradyard.jobs.fleet import CLAIMED_QUEUES, Queue
from gradyard.jobs.states import State
from gradyard.store.tables import IS_QUEUED, Claim, Job, JobSummary, Project, Result, Worker

NEWEST = 50  # succeeded jobs of a stage, by which its speed is estimated
MOST_LOOKED_AT = 1000  # to find that many of one queue
MOST_PROJECTS = 8  # other projects to look at where the own one has no such jobs
ALIKE = 2.0  # costs within this factor count as the same size


@dataclass(frozen=True)
class Ahead:
    """Queued jobs of one stage and one cost (`Job.cost_seconds`; None where it is unknown), and how many."""

    stage: str
    cost_seconds: float | None
    count: int


def ahead_of(connection: Connection, job: Row[Any]) -> list[Ahead]:
    """The queued jobs before this one in the claim order of its queue, by stage and cost."""
    query = select(Job.stage, Job.cost_seconds, func.count()).where(*_before(job))
    return [Ahead(*row) for row in connection.execute(query.group_by(Job.stage, Job.cost_seconds))]


def _before(job: Row[Any]) -> tuple[ColumnElement[bool], ...]:
    # A lower priority of its own project waits for it, a higher one goes first (fleet/priorities.py).
    mine, other = Job.project_id == job.project_id, Job.priority != job.priority
    in_order = or_(Job.rank < job.rank, (Job.rank == job.rank) & (Job.id < job.id))
    first = case((mine & other, Job.priority > job.priority), else_=in_order)
    earlier = or_(Job.precedence > job.precedence, (Job.precedence == job.precedence) & first)
    # A slot claims jobs of its own queue and of `any`; a job of `any` waits for slots of both queues.
    queues = Job.queue.in_(list(CLAIMED_QUEUES) if job.queue == Queue.ANY else (job.queue, Queue.ANY))
    return IS_QUEUED, queues, earlier


def seconds_ahead(
    connection: Connection, project_id: int, workers: Collection[Row[Any]], ahead: Sequence[Ahead]
) -> float | None:
    """How long one slot of these workers would train the jobs ahead, by what the newest jobs of their stages took.

    None where a cost or a speed is unknown.
    """
    total, paces = 0.0, {each.stage: _pace(connection, project_id, each.stage, workers) for each in ahead}
    for each in ahead:
        known = paces[each.stage]
        if each.cost_seconds is None or not known:
            return None
        alike = [ratio for cost, ratio in known if 1 / ALIKE <= cost / each.cost_seconds <= ALIKE]
        total += each.count * each.cost_seconds * median(alike or [ratio for _, ratio in known])
    return total


def _pace(
    connection: Connection, project_id: int, stage: str, workers: Collection[Row[Any]]
) -> list[tuple[float, float]]:
    """For each of the stage's newest succeeded jobs, its cost, and the seconds of a slot for each unit of cost.

    Jobs trained on devices of the same name are preferred, then those of the same queue. A project without such jobs
    takes those of another project: the speed of the fleet is no secret of a project.
    """
    queues, devices = sorted({worker.queue for worker in workers}), {worker.device_name for worker in workers}
    others = connection.execute(select(Project.id).where(Project.id != project_id).limit(MOST_PROJECTS)).scalars()
    for project in (project_id, *others):
        rows = connection.execute(_newest, {"of_project": project, "of_stage": stage, "of_queues": queues}).all()
        alike = [row for row in rows if (row.environment or {}).get("device") in devices]
        if rows:
            return [
                (row.cost_seconds, (row.train_seconds + row.setup_seconds) / (row.pack_size * row.cost_seconds))
                for row in alike or rows
            ]
    return []


_looked_at = (
    select(JobSummary.job_id)
    .where(
        JobSummary.project_id == bindparam("of_project"), JobSummary.stage == bindparam("of_stage"),
        JobSummary.state == State.SUCCEEDED,
    ).order_by(JobSummary.job_id.desc()).limit(MOST_LOOKED_AT).subquery()
)  # fmt: skip
_newest = (
    select(Job.cost_seconds, Job.train_seconds, Job.setup_seconds, Job.pack_size, Result.environment)
    .join(_looked_at, _looked_at.c.job_id == Job.id).outerjoin(Result, Result.job_id == Job.id)
    .where(Job.queue.in_(bindparam("of_queues", expanding=True)), Job.cost_seconds > 0, Job.pack_size > 0)
    .order_by(Job.id.desc()).limit(NEWEST)
)  # fmt: skip


def free_in_seconds(connection: Connection, workers: Collection[Row[Any]]) -> list[float]:
    """For each of these workers, in how many seconds its present pack ends; 0 where it has none, or that is unknown."""
    steps = select(func.max(Job.steps)).where(Job.claim_id == Claim.id).scalar_subquery()
    columns = Claim.width, Claim.steps_done, Worker.steps_per_second, steps.label("steps")
    those = select(*columns).select_from(Worker).outerjoin(Claim, Claim.worker_id == Worker.id)
    rows = connection.execute(those.where(Worker.id.in_([worker.id for worker in workers])))
    return [_left(row) for row in rows]


def _left(row: Row[Any]) -> float:
    if not row.width or not row.steps or not row.steps_per_second:
        return 0.0
    return float(max(0, row.steps - row.steps_done) * row.width / row.steps_per_second)


def start_in_seconds(ahead: float, free: Sequence[float]) -> float | None:
    """In how many seconds a slot takes the next job.

    ahead: the seconds of work before it, shared by all slots. free: in how many seconds each slot gets free.
    None where there is no slot.
    """
    begins = sorted(free)
    for count, (begin, end) in enumerate(zip_longest(begins, begins[1:]), start=1):
        if end is None or ahead <= count * (end - begin):
            return begin + ahead / count
        ahead -= count * (end - begin)
    return None
