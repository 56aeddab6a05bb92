"""Ids of jobs in the order of their submission, by indexes alone: of a state, a stage, a batch, or all.

`summaries` has the final state of jobs that have ended, and none before. The jobs that run are few.
"""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, asc, desc, select, union_all

from gradyard.jobs.states import FINISHED, State
from gradyard.store.tables import IS_QUEUED, IS_RUNNING, Job, JobSummary

ENDED = [state for state in State if state in FINISHED]


def newest_ids(
    project_id: int, limit: int, *, state: State | None = None, stage: str | None = None, batch: UUID | None = None,
    before: UUID | None = None,
) -> Any:  # fmt: skip
    """A query for the ids of the newest jobs, at most `limit`; before: of those with smaller ids."""
    asked = {"stage": stage, "batch_id": batch}
    chosen: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    if batch is None:
        chosen["project_id"] = project_id
    if state is State.RUNNING:
        return _newest(select(Job.id).where(*_equal(Job, chosen), IS_RUNNING), Job.id, before, limit)
    of_summaries = select(JobSummary.job_id).where(*_equal(JobSummary, chosen))
    if state is State.QUEUED:
        joined = of_summaries.join(Job, Job.id == JobSummary.job_id).where(JobSummary.state.is_(None), IS_QUEUED)
        return _newest(joined, JobSummary.job_id, before, limit)
    wanted = [JobSummary.state == state] if state is not None else _every_state()
    of_each = (_newest(of_summaries.where(each), JobSummary.job_id, before, limit) for each in wanted)
    return _first_of(of_each, desc, limit)


def _first_of(of_each: Iterable[Select[Any]], direction: Callable[[Any], Any], limit: int) -> Select[Any]:
    """The first of several ordered queries together."""
    them = union_all(*(select(each.subquery().c.job_id) for each in of_each)).subquery()
    return select(them.c.job_id).order_by(direction(them.c.job_id)).limit(limit)


def _every_state() -> list[ColumnElement[bool]]:
    return [JobSummary.state.is_(None), *(JobSummary.state == state for state in ENDED)]


def _equal(table: type[Job | JobSummary], values: dict[str, Any]) -> list[ColumnElement[bool]]:
    return [table.__table__.columns[name] == value for name, value in values.items()]


def _newest(query: Select[Any], column: Any, before: UUID | None, limit: int) -> Select[Any]:
    if before is not None:
        query = query.where(column < before)
    return query.order_by(column.desc()).limit(limit)


def next_ids_of_batch(batch: UUID, after: UUID | None, limit: int) -> Any:
    """A query for ids of jobs of a batch in the order of submission, at most `limit`; after: with larger ids."""
    of_batch = select(JobSummary.job_id).where(JobSummary.batch_id == batch)
    if after is not None:
        of_batch = of_batch.where(JobSummary.job_id > after)
    of_each = (of_batch.where(each).order_by(JobSummary.job_id).limit(limit) for each in _every_state())
    return _first_of(of_each, asc, limit)
