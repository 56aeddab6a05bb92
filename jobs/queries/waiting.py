"""When the turn of a queued job comes: what is before it, how fast such jobs were, when the slots are free."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, literal_column, or_, select

from jobs.database import now
from jobs.states import State
from jobs.tables import Claim, Job, Project, Worker

NEWEST = 50  # succeeded jobs of a stage: what is known of its speed
ALIKE = 2.0  # as large or as small: of the same size


@dataclass(frozen=True)
class Ahead:
    """So many queued jobs of a stage that cost so much (`Job.cost_seconds`; None: nobody knows)."""

    stage: str
    cost_seconds: float | None
    count: int


def ahead_of(connection: Connection, job: Row[Any]) -> list[Ahead]:
    """The queued jobs of its queue that come before this one, by stage and cost."""
    query = select(Job.stage, Job.cost_seconds, func.count()).where(*_before(job))
    return [Ahead(*row) for row in connection.execute(query.group_by(Job.stage, Job.cost_seconds))]


def _before(job: Row[Any]) -> tuple[ColumnElement[bool], ...]:
    same, same_rank = Job.priority == job.priority, Job.rank == job.rank
    earlier = or_(Job.priority > job.priority, same & (Job.rank < job.rank), same & same_rank & (Job.id < job.id))
    return Job.state == literal_column("'queued'"), Job.queue == job.queue, earlier


def seconds_ahead(connection: Connection, project_id: int, queue: str, ahead: Sequence[Ahead]) -> float | None:
    """How long one slot would train these, by what the newest jobs of their stages took; None where nobody knows."""
    total, paces = 0.0, {stage: _pace(connection, project_id, stage, queue) for stage in {each.stage for each in ahead}}
    for each in ahead:
        known = paces[each.stage]
        if each.cost_seconds is None or not known:
            return None
        alike = [ratio for cost, ratio in known if 1 / ALIKE <= cost / each.cost_seconds <= ALIKE]
        total += each.count * each.cost_seconds * median(alike or [ratio for _, ratio in known])
    return total


def _pace(connection: Connection, project_id: int, stage: str, queue: str) -> list[tuple[float, float]]:
    """Of the stage's newest succeeded jobs: what each cost, and how many seconds of a slot went into each of these.

    The project's own; where it has none yet, those of another one. How fast a fleet is, is no project's secret.
    """
    others = connection.execute(select(Project.id).where(Project.id != project_id)).scalars()
    columns = Job.queue, Job.cost_seconds, Job.train_seconds, Job.setup_seconds, Job.pack_size
    for each in (project_id, *others):
        mine = (Job.project_id == each, Job.stage == stage, Job.state == State.SUCCEEDED)
        rows = connection.execute(select(*columns).where(*mine).order_by(Job.id.desc()).limit(NEWEST))
        if known := [
            (row.cost_seconds, (row.train_seconds + row.setup_seconds) / (row.pack_size * row.cost_seconds))
            for row in rows if row.cost_seconds and row.pack_size and queue in (row.queue, "any")
        ]:  # fmt: skip
            return known
    return []


def free_in_seconds(connection: Connection, queue: str) -> list[float]:
    """Of each live slot of the queue, when its present pack will be over: 0 where it has none, or nobody can tell."""
    steps = select(func.max(Job.steps)).where(Job.claim_id == Claim.id).scalar_subquery()
    columns = Claim.width, Claim.steps_done, Worker.steps_per_second, steps.label("steps")
    live = select(*columns).select_from(Worker).outerjoin(Claim, Claim.worker_id == Worker.id)
    live = live.where(Worker.lease_until > now(), Worker.queue.in_(("cpu", "gpu") if queue == "any" else (queue,)))
    return [_left(row) for row in connection.execute(live)]


def _left(row: Row[Any]) -> float:
    if not row.width or not row.steps or not row.steps_per_second:
        return 0.0
    return float(max(0, row.steps - row.steps_done) * row.width / row.steps_per_second)


def turn_in_seconds(ahead: float, free: Sequence[float]) -> float | None:
    """When a slot takes the next job, after so many seconds of work that all slots share as they get free."""
    for count, (begin, end) in enumerate(zip(sorted(free), [*sorted(free)[1:], None], strict=True), start=1):
        if end is None or ahead <= count * (end - begin):
            return begin + ahead / count
        ahead -= count * (end - begin)
    return None
