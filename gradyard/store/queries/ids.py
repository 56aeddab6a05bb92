"""Ids of jobs in the order of their submission, by indexes alone: of a state, a stage, a batch, or all.

`summaries` has the final state of jobs that have ended, and none before. The jobs that run are few.
"""

from collections.abc import Iterable
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Select, func, select, union_all

from gradyard.jobs.states import FINISHED, State
from gradyard.store.tables import IS_QUEUED, IS_RUNNING, Job, JobSummary

_T = TypeVar("_T")
_Or: TypeAlias = _T | BindParameter[_T]  # a value, or a parameter that gets it when the query is executed

ENDED = [state for state in State if state in FINISHED]


def newest_ids(
    project_id: _Or[int], limit: _Or[int], *, state: State | None = None, stage: _Or[str] | None = None,
    batch: _Or[UUID] | None = None, before: _Or[UUID] | None = None,
) -> Select[Any]:  # fmt: skip
    """A query for the ids of the newest jobs, at most `limit`; before: of those with smaller ids."""
    asked = {"stage": stage, "batch_id": batch}
    chosen: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    if batch is None:
        chosen["project_id"] = project_id
    if state is State.RUNNING:
        # Not `jobs.id` itself: for its order SQLite would read all jobs by the primary key. Those that run are few.
        sorted_anew: ColumnElement[UUID] = func.coalesce(Job.id, Job.id)
        return _newest(select(Job.id).where(*_equal(Job, chosen), IS_RUNNING), sorted_anew, before, limit)
    of_summaries = select(JobSummary.job_id).where(*_equal(JobSummary, chosen))
    if state is State.QUEUED:
        joined = of_summaries.join(Job, Job.id == JobSummary.job_id).where(JobSummary.state.is_(None), IS_QUEUED)
        return _newest(joined, JobSummary.job_id, before, limit)
    wanted = [JobSummary.state == state] if state is not None else every_state()
    # By the state first, as their index has them: else PostgreSQL sorts all that wait by their ids.
    of_each = (of_summaries.where(each).order_by(JobSummary.state.desc()) for each in wanted)
    return _newest_of((_newest(each, JobSummary.job_id, before, limit) for each in of_each), limit)


def _newest_of(of_each: Iterable[Select[Any]], limit: _Or[int]) -> Select[Any]:
    """The newest of several queries together."""
    them = union_all(*(select(each.subquery().c.job_id) for each in of_each)).subquery()
    return select(them.c.job_id).order_by(them.c.job_id.desc()).limit(limit)


def every_state() -> list[ColumnElement[bool]]:
    """Conditions of summaries, of which each holds for the jobs of one state; of those that wait or run it has none."""
    return [JobSummary.state.is_(None), *(JobSummary.state == state for state in ENDED)]


def _equal(table: type[Job | JobSummary], values: dict[str, Any]) -> list[ColumnElement[bool]]:
    return [table.__table__.columns[name] == value for name, value in values.items()]


def _newest(query: Select[Any], column: Any, before: _Or[UUID] | None, limit: _Or[int]) -> Select[Any]:
    if before is not None:
        query = query.where(column < before)
    return query.order_by(column.desc()).limit(limit)
