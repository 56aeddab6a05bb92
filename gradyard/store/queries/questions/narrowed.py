"""Rare questions: where an index finds few jobs that satisfy a part of a question, only these are looked at.

A part is one side of an `and`. It is rare where an index has at most MOST_CANDIDATES jobs of it, which takes about a
millisecond to see.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, func, select

from gradyard.jobs.questions import terms
from gradyard.jobs.questions.order import Order
from gradyard.jobs.questions.terms import Column, Comparison, OneOf, Source, Term, Value
from gradyard.jobs.states import FINISHED, State
from gradyard.store.queries.questions.conditions import jobs_having, sets_of
from gradyard.store.queries.questions.figures_in_order import bound_values, figure_kind, jobs_compared
from gradyard.store.queries.questions.streams import MOST_STAGES, Place, stages_of
from gradyard.store.tables import IS_PINNED, IS_RUNNING, Job, JobSummary
from gradyard.store.these import DriverId, with_driver_ids

MOST_CANDIDATES = 2_000
MOST_PARTS = 8
MOST_VALUES = 20  # of one `in`


def candidates(connection: Connection, project_id: int, term: Term) -> list[DriverId] | None:
    """Jobs among which are all that satisfy the question; None where no index finds few."""
    for part in list(parts_of(term))[:MOST_PARTS]:
        found = _found(connection, project_id, part)
        if found is not None:
            return found
    return None


def parts_of(term: Term) -> Iterator[Term]:
    """What must be true of a job for the question to be true of it."""
    if isinstance(term, terms.All):
        for each in term.terms:
            yield from parts_of(each)
    else:
        yield term


def ends_of(term: Term, order: Order) -> tuple[Place | None, float | None]:
    """Where in an order the jobs begin that may satisfy the question, and the value with which they end."""
    low = high = None
    for part in parts_of(term):
        match part:
            case Comparison(column, symbol, float(value)) if column == order.column:
                low = value if symbol in (">", ">=", "==") and (low is None or value > low) else low
                high = value if symbol in ("<", "<=", "==") and (high is None or value < high) else high
    first, last = (high, low) if order.descending else (low, high)
    before_all = UUID(int=2**128 - 1 if order.descending else 0)
    return None if first is None else (first, before_all), last


def _found(connection: Connection, project_id: int, part: Term) -> list[DriverId] | None:
    """Jobs that satisfy a part; None where no index finds few of them."""
    match part:
        case OneOf(column, values) if len(values) <= MOST_VALUES:
            each = [_found(connection, project_id, Comparison(column, "==", value)) for value in values]
            together = [job_id for found in each if found for job_id in found]
            return None if None in each or len(together) > MOST_CANDIDATES else together
        case Comparison(column, symbol, float(value)) if (kind := figure_kind(column)) and symbol != "!=":
            stages = stages_of(connection, project_id)
            if not stages:  # nor jobs
                return []
            if len(stages) > MOST_STAGES:
                return None
            compared = select(jobs_compared(kind, symbol, len(stages)).subquery().c.job_id)
            asked = bound_values(column, project_id, stages)
            return _if_few(connection, compared, asked | {"value": value, "so_many": MOST_CANDIDATES + 1})
        case Comparison():
            query = _query(project_id, part)
            return None if query is None else _if_few(connection, query.limit(MOST_CANDIDATES + 1), {})
    return None


def _if_few(connection: Connection, query: Select[Any], values: dict[str, Any]) -> list[DriverId] | None:
    # Counted first: to bring two thousand ids here takes ten times as long as to count them.
    count = connection.execute(select(func.count()).select_from(query.subquery()), values).scalar_one()
    if count > MOST_CANDIDATES:
        return None
    return list(connection.execute(with_driver_ids(query), values).scalars().all())  # all at once: not row by row


def _query(project_id: int, part: Comparison) -> Select[Any] | None:
    """A query for the ids of jobs that satisfy it, by an index; None where there is none for it."""
    column, symbol, value = part.column, part.operator, part.value
    if isinstance(value, Column) or symbol == "!=":
        return None
    if (having := jobs_having(project_id, part)) is not None:
        return having
    mine = JobSummary.project_id == project_id
    if column.source is Source.PARAMETER:
        # Where a set has many jobs on average, SQLite reads all jobs: a fifth of a second for a million.
        return select(JobSummary.job_id).where(mine, JobSummary.parameters_id.in_(sets_of(column, symbol, value)))
    return _of_word(project_id, column.name, value) if symbol == "==" and column.source is Source.FIELD else None


def _of_word(project_id: int, name: str, value: Value) -> Select[Any] | None:
    mine = JobSummary.project_id == project_id
    if name == "pinned" and value == 1:
        return select(Job.id).where(IS_PINNED, Job.project_id == project_id)
    if name == "state" and value == State.RUNNING:
        return select(Job.id).where(IS_RUNNING, Job.project_id == project_id)
    if name == "state" and value not in FINISHED:
        return None
    if name in ("state", "stage", "name"):
        return select(JobSummary.job_id).where(mine, JobSummary.__table__.columns[name] == value)
    return None
