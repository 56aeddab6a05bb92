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

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    bindparam,
    func,
    literal_column,
    select,
    tuple_,
    union_all,
)  # fmt: skip

from gradyard.jobs.questions.order import Order
from gradyard.jobs.questions.terms import Source
from gradyard.jobs.states import FINISHED, State
from gradyard.store.queries.questions.conditions import METRICS_IN_ORDER
from gradyard.store.tables import FIGURES_IN_ORDER, IS_RUNNING, IS_WAITING_AGAIN, Job, JobSummary, MetricSummary

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
        if self._has_none:
            return []
        return list(connection.execute(self._statement(connection, after), self._values(after, limit)))

    def first_that(
        self, connection: Connection, wanted: ColumnElement[bool], limit: int, *, among: int, after: Place | None
    ) -> list[Row[Any]]:  # fmt: skip
        """The first of them whose rows of `summaries` are wanted, at most `limit`, among so many that are looked at."""
        if self._has_none:
            return []
        looked = self._statement(connection, after).subquery()
        query = select(looked.c.job_id, looked.c.value).join(JobSummary, JobSummary.job_id == looked.c.job_id)
        query = query.where(wanted).order_by(*_directed(query, self.order.descending)).limit(limit)
        return list(connection.execute(query, self._values(after, among)))

    def place_of(self, connection: Connection, number: int, after: Place | None) -> Place | None:
        """The place of the job of this number, from 1, in their order; None where there are fewer."""
        if self._has_none:
            return None
        one = self._statement(connection, after).offset(bindparam("skipped"))
        beside = {"so_many": 1, "skipped": number - 1}
        row = connection.execute(one, self._values(after, number) | beside).first()
        return None if row is None else (row.value, row.job_id)

    @property
    def _has_none(self) -> bool:
        return self.order.column.source is not Source.METRIC and not self.stages  # a project without jobs

    def _statement(self, connection: Connection, after: Place | None) -> Any:
        column, direction, on_sqlite = self.order.column, self.order.descending, connection.dialect.name == "sqlite"
        if column.source is Source.METRIC:
            return _of_metric(column.figure, direction, after is not None, self.states, bool(self.stages))
        return _of_figure(column.name, direction, len(self.stages), self.states, after is not None, on_sqlite)

    def _values(self, after: Place | None, so_many: int) -> dict[str, Any]:
        values: dict[str, Any] = {"project": self.project_id, "of_stages": self.stages}
        values |= {"so_many": so_many, "of_each": so_many}
        values |= {f"nth_stage_{number}": stage for number, stage in enumerate(self.stages)}
        if self.order.column.source is Source.METRIC:
            values["metric"] = self.order.column.name
        return values if after is None else values | {"after": after[0], "after_id": after[1]}


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
def _of_figure(
    name: str, descending: bool, stages: int, states: tuple[State, ...], after: bool, on_sqlite: bool
) -> Any:  # fmt: skip
    """Each stage and state in its own order, merged: no more of any is read than is wanted of all.

    SQLite does so where the queries stand beside one another as they are, PostgreSQL where each is in order by itself.
    """
    each = [_after(query, descending) if after else query for query in figure_queries(name, stages, states)]
    if not on_sqlite:
        sorted_ones = (query.order_by(*_directed(query, descending)).limit(bindparam("of_each")) for query in each)
        each = [select(one.subquery()) for one in sorted_ones]
    labels: list[ColumnElement[Any]] = [literal_column("value"), literal_column("job_id")]
    order = [label.desc() if descending else label for label in labels]
    return union_all(*each).order_by(*order).limit(bindparam("so_many"))


def figure_queries(name: str, stages: int, states: tuple[State, ...]) -> Iterator[Select[Any]]:
    """Queries for the jobs that have a figure, and the figure (job_id, value): each by an index, in no order yet.

    Of so many stages: the parameters `nth_stage_0`, `nth_stage_1`, ..., and all together `of_stages`. The project is
    `project`.
    """
    value, live = JobSummary.__table__.columns[name], Job.__table__.columns[name]
    ended = select(JobSummary.job_id.label("job_id"), value.label("value")).where(value.is_not(None))
    ended = ended.where(JobSummary.project_id == bindparam("project"))
    for state in (state for state in states if state in FINISHED):
        for number in range(stages):
            yield ended.where(JobSummary.stage == bindparam(f"nth_stage_{number}"), JobSummary.state == state)
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
        query = query.where(JobSummary.stage == bindparam("nth_stage_0")) if of_stage else query
    query = query.where(*of_name)
    query = _after(query, descending) if after else query
    return query.order_by(*_directed(query, descending)).limit(bindparam("so_many"))


def _after(query: Select[Any], descending: bool) -> Select[Any]:
    job_id, value = query.selected_columns
    row, place = tuple_(value, job_id), tuple_(bindparam("after"), bindparam("after_id", type_=job_id.type))
    return query.where(row < place if descending else row > place)


def _directed(query: Select[Any], descending: bool) -> list[Any]:
    job_id, value = query.selected_columns
    return [each.desc() if descending else each.asc() for each in (value, job_id)]
