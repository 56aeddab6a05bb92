"""When the turn of a queued job comes: what is before it, how fast such jobs were, when the slots are free."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, func, literal_column, or_, select

from gradyard.jobs.states import State
from gradyard.store.tables import Claim, Job, Project, Result, Worker

NEWEST = 50  # succeeded jobs of a stage: what is known of its speed
MOST_LOOKED_AT = 1000  # to find so many of a queue
MOST_PROJECTS = 8  # of others, where one's own project knows nothing
ALIKE = 2.0  # as large or as small: of the same size


@dataclass(frozen=True)
class Ahead:
    """So many queued jobs of a stage that cost so much (`Job.cost_seconds`; None: nobody knows)."""

    stage: str
    cost_seconds: float | None
    count: int


def ahead_of(connection: Connection, job: Row[Any]) -> list[Ahead]:
    """The queued jobs that come before this one at the slots of its queue, by stage and cost."""
    query = select(Job.stage, Job.cost_seconds, func.count()).where(*_before(job))
    return [Ahead(*row) for row in connection.execute(query.group_by(Job.stage, Job.cost_seconds))]


def _before(job: Row[Any]) -> tuple[ColumnElement[bool], ...]:
    same, same_rank = Job.priority == job.priority, Job.rank == job.rank
    earlier = or_(Job.priority > job.priority, same & (Job.rank < job.rank), same & same_rank & (Job.id < job.id))
    # A slot takes jobs of its own queue and of `any`, and one of those waits for every slot.
    mine = Job.queue.in_(("cpu", "gpu", "any") if job.queue == "any" else (job.queue, "any"))
    return Job.state == literal_column("'queued'"), mine, earlier


def seconds_ahead(
    connection: Connection, project_id: int, workers: Collection[Row[Any]], ahead: Sequence[Ahead]
) -> float | None:
    """How long one slot of these workers would train that, by what the newest jobs of its stages took on such devices.

    None where nobody knows.
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
    """Of the stage's newest succeeded jobs: what each cost, and how many seconds of a slot went into each of these.

    Those that devices of the same name trained, else of the same queue. The project's own; where it has none yet, those
    of another one: how fast a fleet is, is no project's secret.
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
    select(Job.id)
    .where(
        Job.project_id == bindparam("of_project"), Job.stage == bindparam("of_stage"), Job.state == State.SUCCEEDED
    ).order_by(Job.id.desc()).limit(MOST_LOOKED_AT).subquery()
)  # fmt: skip
_newest = (
    select(Job.cost_seconds, Job.train_seconds, Job.setup_seconds, Job.pack_size, Result.environment)
    .join(_looked_at, _looked_at.c.id == Job.id).outerjoin(Result, Result.job_id == Job.id)
    .where(Job.queue.in_(bindparam("of_queues", expanding=True)), Job.cost_seconds > 0, Job.pack_size > 0)
    .order_by(Job.id.desc()).limit(NEWEST)
)  # fmt: skip


def free_in_seconds(connection: Connection, workers: Collection[Row[Any]]) -> list[float]:
    """Of each of these workers, when its present pack will be over: 0 where it has none, or nobody can tell."""
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
    """When a slot takes the next job, after so many seconds of work that all slots share as they get free."""
    for count, (begin, end) in enumerate(zip(sorted(free), [*sorted(free)[1:], None], strict=True), start=1):
        if end is None or ahead <= count * (end - begin):
            return begin + ahead / count
        ahead -= count * (end - begin)
    return None
