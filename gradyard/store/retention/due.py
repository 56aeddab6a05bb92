"""Which jobs a rule lets go: of those that have ended and are not pinned, the oldest first, once they are measured.

What is due follows from the newest jobs, which stay, and is read in one statement for each part of a rule: of two
maintenance processes that look at the same time, neither lets go what the rule keeps.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select, tuple_

from gradyard.jobs.specs.dependencies import Kind
from gradyard.jobs.storage import RetentionRule
from gradyard.store.tables import (
    HAS_BLOCKED_JOBS,
    IS_PINNED,
    IS_WAITING,
    IdempotencyKey,
    Job,
    JobSize,
    JobSummary,
    ProjectStorage,
    Recheck,
    Wait,
    WaitsFor,
    bytes_of,
)

DAY_SECONDS = 86_400.0
_place = (JobSize.finished_at, JobSize.job_id)


def due(
    connection: Connection, project_id: int, rule: RetentionRule, *, at: float, most: int, key_seconds: float
) -> list[UUID]:  # fmt: skip
    """Some jobs that the rule lets go, at most so many. at: the database's time. Empty where there is none.

    A job stays that an idempotency key of the last `key_seconds` stands for, since a request that is sent again would
    make it anew; one whose recheck was not compared with it yet; and one that others wait for. In the rule they count
    as the others do.
    """
    for query in _parts(connection, project_id, rule, at):
        free = _without_needed(query, project_id, at - key_seconds)
        if found := list(connection.execute(free.order_by(*_place).limit(most)).scalars()):
            return found
    return []


def _parts(connection: Connection, project_id: int, rule: RetentionRule, at: float) -> Iterator[Select[Any]]:
    """For each part of the rule the jobs that it lets go."""
    if rule.days is not None:
        yield _ended(project_id).where(JobSize.finished_at < at - DAY_SECONDS * rule.days)
    if rule.jobs is not None and (last := _place_of(connection, project_id, rule.jobs)):
        yield _ended(project_id).where(tuple_(*_place) <= tuple_(*last))
    if rule.bytes is not None:
        together = stored_bytes(connection, project_id)  # a look at one row, where the statement reads all
        if together is None or together > rule.bytes:
            yield beyond_bytes(project_id, rule.bytes)


def stored_bytes(connection: Connection, project_id: int) -> int | None:
    """What the project stores, as last added up; None where it never was."""
    added_up = select(bytes_of(ProjectStorage)).where(ProjectStorage.project_id == project_id)
    return connection.execute(added_up).scalar()


def beyond_bytes(project_id: int, kept: int) -> Select[Any]:
    """The ids of the oldest measured jobs, without which the others have at most so many bytes."""
    newest_first = [each.desc() for each in _place]
    with_newer = func.sum(bytes_of(JobSize)).over(order_by=newest_first, rows=(None, 0)).label("with_newer")
    sums = _ended(project_id).add_columns(with_newer).subquery()
    beyond = select(sums.c.job_id).where(sums.c.with_newer > kept)
    return select(JobSize.job_id).where(JobSize.project_id == project_id, JobSize.job_id.in_(beyond))


def pinned_of(project_id: int) -> Select[Any]:
    """The ids of the pinned jobs, which are few: an index of their own has them."""
    return select(Job.id).where(Job.project_id == project_id, IS_PINNED)


def _ended(project_id: int) -> Select[Any]:
    mine = JobSize.project_id == project_id, JobSize.job_id.not_in(pinned_of(project_id))
    return select(JobSize.job_id).where(*mine)


def _place_of(connection: Connection, project_id: int, kept: int) -> Any:
    """The place of the newest job beyond so many that are kept; None where there are no more."""
    newest = _ended(project_id).with_only_columns(*_place).order_by(*(each.desc() for each in _place))
    return connection.execute(newest.offset(kept).limit(1)).first()


def _without_needed(query: Select[Any], project_id: int, keys_since: float) -> Select[Any]:
    # The key of a batch has its first job, which keeps the batch; the answer to a retry of a question needs no job.
    needs_its_job = or_(IdempotencyKey.retried.is_(None), IdempotencyKey.batch_id.is_not(None))
    young = IdempotencyKey.project_id == project_id, IdempotencyKey.created_at > keys_since, needs_its_job
    # Keys may be as many as jobs, without an index by job: joined to a table of its own, each database hashes or
    # indexes it once. PostgreSQL would search the list of a NOT IN, and SQLite all keys of the project, for every job.
    needed = select(IdempotencyKey.job_id).where(*young).distinct().subquery()
    query = query.outerjoin(needed, needed.c.job_id == JobSize.job_id).where(needed.c.job_id.is_(None))
    rechecked = select(Job.recheck_of).outerjoin(Recheck, Recheck.job_id == Job.id)
    rechecked = rechecked.where(Job.project_id == project_id, Job.recheck_of.is_not(None), Recheck.job_id.is_(None))
    return query.where(JobSize.job_id.not_in(rechecked), *_not_waited_for(project_id))


def _not_waited_for(project_id: int) -> list[ColumnElement[bool]]:
    """That no job waits for the end of the job or of its batch."""
    waiting = select(WaitsFor.on_id).join(Wait, Wait.id == WaitsFor.wait_id)
    waiting = waiting.where(Wait.project_id == project_id, IS_WAITING, HAS_BLOCKED_JOBS)
    batches = waiting.where(WaitsFor.kind == Kind.BATCH)
    members = select(JobSummary.job_id).where(JobSummary.batch_id.in_(batches))
    return [JobSize.job_id.not_in(waiting.where(WaitsFor.kind == Kind.JOB)), JobSize.job_id.not_in(members)]
