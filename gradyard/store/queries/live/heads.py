"""Where jobs, batches and projects stand now: what says whether a stream has something to tell."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, func, select

from gradyard.jobs.states import State
from gradyard.store.queries.batches import counts_of_batches
from gradyard.store.tables import IS_QUEUED, IS_RUNNING, IS_WAITING_AGAIN, Batch, Claim, Job, JobEvent, JobSummary
from gradyard.store.these import is_among, told

MOST_RUNNING = 100  # of a project, that a stream of it shows one by one

Thing = tuple[int, UUID]
"""A job or a batch, with the project that it must be of."""


class JobHead(NamedTuple):
    """A job's state, its last event, the steps that are recorded, and those done as of the last heartbeat."""

    state: str
    attempt: int
    sequence: int
    recorded: int
    steps: int | None
    steps_done: int


class BatchHead(NamedTuple):
    """How many jobs a batch has, and how many of them are in each state, in the order of `State`.

    attempts: of the running and of the waiting jobs together, and how many jobs were replaced. So a move shows also
    where another one in the other direction leaves the counts as they were.
    """

    size: int
    counts: tuple[int, ...]
    attempts: tuple[int, ...] = (0, 0, 0)


@dataclass(frozen=True)
class ProjectHead:
    """How many jobs of a project are in each state, and the rows of those that run, the newest MOST_RUNNING of them."""

    counts: Mapping[str, int]
    running: tuple[Row[Any], ...] = ()
    more: bool = False
    ids: frozenset[UUID] = field(default=frozenset(), compare=False)


_last = select(func.max(JobEvent.sequence)).where(JobEvent.job_id == Job.id).scalar_subquery()
_heads = (
    select(Job.project_id, Job.id, Job.state, Job.attempt, _last.label("sequence"), Job.steps_done,
           Job.steps, Claim.steps_done.label("claim_steps_done"))
    .outerjoin(Claim, Claim.id == Job.claim_id)
)  # fmt: skip


_heads_of = _heads.where(is_among(Job.id, "of_jobs"))


def job_heads(connection: Connection, jobs: Collection[Thing]) -> dict[Thing, JobHead]:
    """The heads of these jobs; of one that is not there, or is another project's, there is none."""
    wanted, found = set(jobs), {}
    asked = {"of_jobs": told(connection.dialect, (job_id for _, job_id in jobs))}
    for row in connection.execute(_heads_of, asked):
        if (row.project_id, row.id) in wanted:
            done = max(row.steps_done, row.claim_steps_done or 0) if row.state == State.RUNNING else row.steps_done
            head = JobHead(row.state, row.attempt, row.sequence or 0, row.steps_done, row.steps, done)
            found[row.project_id, row.id] = head
    return found


_sizes = select(Batch.project_id, Batch.id, Batch.size).where(Batch.id.in_(bindparam("of_batches", expanding=True)))


def batch_heads(connection: Connection, batches: Collection[Thing]) -> dict[Thing, BatchHead]:
    """The heads of these batches; of one that is not there, or is another project's, there is none."""
    ids = [batch_id for _, batch_id in batches]
    sizes = {(row.project_id, row.id): row.size for row in connection.execute(_sizes, {"of_batches": ids})}
    counts = counts_of_batches(connection, [batch_id for each in batches if each in sizes for batch_id in each[1:]])
    attempts = _attempts_of(connection, [project_id for project_id, _ in sizes], list(counts))
    return {
        each: BatchHead(sizes[each], tuple(counts[each[1]][state] for state in State), tuple(attempts[each[1]]))
        for each in batches if each in sizes
    }  # fmt: skip


def _attempts_of(connection: Connection, projects: list[int], batches: list[UUID]) -> dict[UUID, list[int]]:
    found = {batch_id: [0, 0, 0] for batch_id in batches}
    asked = {"of_batches": batches, "of_projects": projects}
    for place, query in enumerate(_attempts if batches else ()):
        for batch_id, number in connection.execute(query, asked):
            if batch_id in found:
                found[batch_id][place] = number
    return found


_of_batches: Any = Job.batch_id.in_(bindparam("of_batches", expanding=True))
_sum = select(Job.batch_id, func.sum(Job.attempt)).where(_of_batches).group_by(Job.batch_id)
_attempts = (
    _sum.where(IS_RUNNING),
    _sum.where(Job.project_id.in_(bindparam("of_projects", expanding=True)), IS_WAITING_AGAIN),
    select(Job.batch_id, func.count()).where(_of_batches, Job.replaced_by.is_not(None)).group_by(Job.batch_id),
)


_of_projects: Any = bindparam("of_projects", expanding=True)
_live = select(Job.project_id, Job.state, func.count()).where(Job.project_id.in_(_of_projects))
_live = _live.group_by(Job.project_id, Job.state)
_counts = (
    _live.where(IS_QUEUED), _live.where(IS_RUNNING),
    select(JobSummary.project_id, JobSummary.state, func.count())
    .where(JobSummary.project_id.in_(_of_projects), JobSummary.state.is_not(None))
    .group_by(JobSummary.project_id, JobSummary.state),
)  # fmt: skip
_running: Any = (
    select(Job.id, Job.stage, Job.name, Job.batch_id, Job.state, Job.attempt, Job.steps, Job.steps_done, Job.loss_last,
           Claim.steps_done.label("claim_steps_done"))
    .join(Claim, Claim.id == Job.claim_id).where(Job.project_id == bindparam("of_project"), IS_RUNNING)
    .order_by(Job.id.desc()).limit(MOST_RUNNING + 1)
)  # fmt: skip


def project_heads(connection: Connection, projects: Collection[int]) -> dict[int, ProjectHead]:
    """The heads of these projects."""
    counts: dict[int, dict[str, int]] = defaultdict(lambda: {str(state): 0 for state in State})
    for query in _counts:
        for project_id, state, count in connection.execute(query, {"of_projects": list(projects)}):
            counts[project_id][str(state)] += count
    found = {}
    for project_id in projects:
        rows: list[Row[Any]] = list(connection.execute(_running, {"of_project": project_id}))
        shown = tuple(rows[:MOST_RUNNING])
        ids = frozenset(row.id for row in shown)
        found[project_id] = ProjectHead(counts[project_id], shown, len(rows) > MOST_RUNNING, ids)
    return found
