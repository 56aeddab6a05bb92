"""Jobs in the order of a figure that an index has: of each stage and final state one stream, of those that run another.

`summaries` has a figure once the job has ended. Jobs that have begun and not ended are few; `jobs` has theirs. So every
filter by state and stage is served by the same index, and a page reads some rows of each stream. A metric is one
stream: it has no live figures.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, bindparam, func, select, tuple_, union_all

from gradyard.jobs.questions.order import Order
from gradyard.jobs.questions.terms import Source
from gradyard.jobs.states import FINISHED, State
from gradyard.store.tables import FIGURES_IN_ORDER, IS_RUNNING, IS_WAITING_AGAIN, Job, JobSummary, MetricSummary

METRICS_IN_ORDER = ("last", "min", "max")
MOST_STAGES = 50
"""SQLite takes 500 queries in one, and each costs some microseconds."""

Place = tuple[float, UUID]
"""A value, and the job that has it."""


@dataclass(frozen=True)
class Streams:
    """The jobs of a project, of some stages and states, that have a value, in its order.

    Equal ones come in the order of submission, or where the largest value comes first in the reverse.
    """

    project_id: int
    order: Order
    stages: tuple[str, ...]
    states: tuple[State, ...]

    def first(self, connection: Connection, limit: int, after: Place | None = None) -> list[Row[Any]]:
        """The first of them, with columns job_id and value; after: of those after this place."""
        values: dict[str, Any] = {"project": self.project_id, "so_many": limit, "of_stages": self.stages}
        values |= {f"stage_{number}": stage for number, stage in enumerate(self.stages)}
        if after is not None:
            values |= {"after": after[0], "after_id": after[1]}
        column, direction = self.order.column, self.order.descending
        if column.source is Source.METRIC:
            of_metric = _of_metric(column.figure, direction, after is not None, self.states, bool(self.stages))
            return list(connection.execute(of_metric, values | {"metric": column.name}))
        if not self.stages:  # a project without jobs
            return []
        statement = _of_figure(column.name, direction, len(self.stages), self.states, after is not None)
        return list(connection.execute(statement, values))


def streams(
    connection: Connection, project_id: int, order: Order, state: State | None = None, stage: str | None = None
) -> Streams | None:  # fmt: skip
    """The streams of an order; None where no index has it.

    state, stage: of the jobs with these alone; of a metric they are looked for among all jobs that have it.
    """
    column = order.column
    if column.source is Source.METRIC:
        of = () if stage is None else (stage,), () if state is None else (state,)
        return Streams(project_id, order, *of) if column.figure in METRICS_IN_ORDER else None
    if column.source is not Source.FIELD or column.name not in FIGURES_IN_ORDER:
        return None
    stages = (stage,) if stage is not None else stages_of(connection, project_id)
    states = (state,) if state is not None else tuple(State)
    return Streams(project_id, order, stages, states) if len(stages) <= MOST_STAGES else None


def stages_of(connection: Connection, project_id: int) -> tuple[str, ...]:
    """The stages that the project's jobs have, each found by a step in an index."""
    found, last = list[str](), ""
    while (stage := connection.execute(_next_stage, {"project": project_id, "last": last}).scalar()) is not None:
        found.append(stage)
        last = stage
    return tuple(found)


_next_stage = select(func.min(JobSummary.stage)).where(
    JobSummary.project_id == bindparam("project"), JobSummary.stage > bindparam("last")
)


# Built once: building such a statement costs ten times as much as executing it.
@lru_cache(maxsize=256)
def _of_figure(name: str, descending: bool, stages: int, states: tuple[State, ...], after: bool) -> Select[Any]:
    each = [_ordered(query, descending, after) for query in figure_queries(name, stages, states)]
    them = union_all(*(select(one.subquery()) for one in each)).subquery()
    found = select(them.c.job_id, them.c.value)
    return found.order_by(*_directed(found, descending)).limit(bindparam("so_many"))


def figure_queries(name: str, stages: int, states: tuple[State, ...]) -> Iterator[Select[Any]]:
    """Queries for the jobs that have a figure, and the figure (job_id, value): each by an index, in no order yet.

    Of so many stages: the parameters `stage_0`, `stage_1`, ..., and all together `of_stages`. The project is `project`.
    """
    value, live = JobSummary.__table__.columns[name], Job.__table__.columns[name]
    ended = select(JobSummary.job_id.label("job_id"), value.label("value")).where(value.is_not(None))
    ended = ended.where(JobSummary.project_id == bindparam("project"))
    for state in (state for state in states if state in FINISHED):
        for number in range(stages):
            yield ended.where(JobSummary.stage == bindparam(f"stage_{number}"), JobSummary.state == state)
    for state, begun in ((State.RUNNING, IS_RUNNING), (State.QUEUED, IS_WAITING_AGAIN)):
        if state in states:
            query = select(Job.id.label("job_id"), live.label("value")).where(begun, live.is_not(None))
            mine = Job.project_id == bindparam("project"), Job.stage.in_(bindparam("of_stages", expanding=True))
            yield query.where(*mine)


@lru_cache(maxsize=64)
def _of_metric(
    figure: str, descending: bool, after: bool, states: tuple[State, ...], of_stage: bool
) -> Select[Any]:  # fmt: skip
    value = MetricSummary.__table__.columns[figure]
    query = select(MetricSummary.job_id.label("job_id"), value.label("value")).where(value.is_not(None))
    of_name = MetricSummary.project_id == bindparam("project"), MetricSummary.name == bindparam("metric")
    if states or of_stage:
        query = query.join(JobSummary, JobSummary.job_id == MetricSummary.job_id)
        query = query.where(JobSummary.state.in_(states)) if states else query
        query = query.where(JobSummary.stage == bindparam("stage_0")) if of_stage else query
    return _ordered(query.where(*of_name), descending, after)


def _ordered(query: Select[Any], descending: bool, after: bool) -> Select[Any]:
    job_id, value = query.selected_columns
    if after:
        row, place = tuple_(value, job_id), tuple_(bindparam("after"), bindparam("after_id", type_=job_id.type))
        query = query.where(row < place if descending else row > place)
    return query.order_by(*_directed(query, descending)).limit(bindparam("so_many"))


def _directed(query: Select[Any], descending: bool) -> list[Any]:
    job_id, value = query.selected_columns
    return [each.desc() if descending else each.asc() for each in (value, job_id)]
