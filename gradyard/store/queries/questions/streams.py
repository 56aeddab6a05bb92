"""Jobs in the order of a figure that an index has: of each stage and final state one stream, of those that run another.

`summaries` has a figure once the job has ended. Jobs that have begun and not ended are few; `jobs` has theirs. So every
filter by state and stage is served by the same index, and a page reads some rows of each stream. Metrics are alike, but
have no live figures.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
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
from gradyard.jobs.questions.terms import Column, Source
from gradyard.jobs.states import FINISHED, State
from gradyard.store.tables import (
    FIGURES_IN_ORDER,
    IS_RUNNING,
    IS_WAITING_AGAIN,
    METRICS_IN_ORDER,
    Job,
    JobSummary,
    MetricSummary,
)

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
        if not self._there_are:
            return []
        return list(connection.execute(self._statement(connection, after), self._values(after, limit)))

    def first_that(
        self, connection: Connection, wanted: ColumnElement[bool], limit: int, *, among: int, after: Place | None
    ) -> list[Row[Any]]:  # fmt: skip
        """The first of them whose rows of `summaries` are wanted, at most `limit`, among so many that are looked at."""
        if not self._there_are:
            return []
        looked = self._statement(connection, after).subquery()
        query = select(looked.c.job_id, looked.c.value).join(JobSummary, JobSummary.job_id == looked.c.job_id)
        query = query.where(wanted).order_by(*_directed(query, self.order.descending)).limit(limit)
        return list(connection.execute(query, self._values(after, among)))

    def place_of(self, connection: Connection, number: int, after: Place | None) -> Place | None:
        """The place of the job of this number, from 1, in their order; None where there are fewer."""
        if not self._there_are:
            return None
        one = self._statement(connection, after).offset(bindparam("skipped"))
        beside = {"so_many": 1, "skipped": number - 1}
        row = connection.execute(one, self._values(after, number) | beside).first()
        return None if row is None else (row.value, row.job_id)

    @property
    def _there_are(self) -> bool:
        """Whether any job can be in them: a project without jobs has none, and no job has a metric before its end."""
        ended = self.order.column.source is not Source.METRIC or not FINISHED.isdisjoint(self.states)
        return bool(self.stages) and ended

    def _statement(self, connection: Connection, after: Place | None) -> Any:
        column, on_sqlite = without_its_name(self.order.column), connection.dialect.name == "sqlite"
        return _merged(column, len(self.stages), self.states, self.order.descending, after is not None, on_sqlite)

    def _values(self, after: Place | None, so_many: int) -> dict[str, Any]:
        values: dict[str, Any] = {"project": self.project_id, "of_stages": self.stages}
        values |= {"so_many": so_many, "of_each": so_many}
        values |= {f"nth_stage_{number}": stage for number, stage in enumerate(self.stages)}
        values["metric"] = self.order.column.name
        return values if after is None else values | {"after": after[0], "after_id": after[1]}


def streams(
    connection: Connection, project_id: int, order: Order, state: State | None = None, stage: str | None = None
) -> Streams | None:  # fmt: skip
    """The streams of an order; None where no index has it. state, stage: of the jobs with these alone."""
    if not is_in_order(order.column):
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


def is_in_order(column: Column) -> bool:
    """Whether an index has the jobs of each stage and final state in the order of this column."""
    if column.source is Source.METRIC:
        return column.figure in METRICS_IN_ORDER
    return column.source is Source.FIELD and column.name in FIGURES_IN_ORDER


def without_its_name(column: Column) -> Column:
    """The column as statements are built for: the name of a metric is bound as `metric`."""
    return replace(column, name="", live=()) if column.source is Source.METRIC else column


# Built once: building such a statement costs ten times as much as executing it.
@lru_cache(maxsize=256)
def _merged(
    column: Column, stages: int, states: tuple[State, ...], descending: bool, after: bool, on_sqlite: bool
) -> Any:  # fmt: skip
    """Each stage and state in its own order, merged: no more of any is read than is wanted of all.

    SQLite does so where the queries stand beside one another as they are, PostgreSQL where each is in order by itself.
    """
    each = [_after(query, descending) if after else query for query in figure_queries(column, stages, states)]
    if not on_sqlite:
        sorted_ones = (query.order_by(*_directed(query, descending)).limit(bindparam("of_each")) for query in each)
        each = [select(one.subquery()) for one in sorted_ones]
    labels: list[ColumnElement[Any]] = [literal_column("value"), literal_column("job_id")]
    order = [label.desc() if descending else label for label in labels]
    return union_all(*each).order_by(*order).limit(bindparam("so_many"))


def figure_queries(column: Column, stages: int, states: tuple[State, ...]) -> Iterator[Select[Any]]:
    """Queries for the jobs that have a figure, and the figure (job_id, value): each by an index, in no order yet.

    Of so many stages: the parameters `nth_stage_0`, `nth_stage_1`, ..., and all together `of_stages`. The project is
    `project`, the name of a metric `metric`.
    """
    table, ended = _of_ended(column)
    for state in (state for state in states if state in FINISHED):
        for number in range(stages):
            yield ended.where(table.stage == bindparam(f"nth_stage_{number}"), table.state == state)
    if column.source is Source.METRIC:
        return
    live = Job.__table__.columns[column.name]
    for state, begun in ((State.RUNNING, IS_RUNNING), (State.QUEUED, IS_WAITING_AGAIN)):
        if state in states:
            query = select(Job.id.label("job_id"), live.label("value")).where(begun, live.is_not(None))
            mine = Job.project_id == bindparam("project"), Job.stage.in_(bindparam("of_stages", expanding=True))
            yield query.where(*mine)


def _of_ended(column: Column) -> tuple[Any, Select[Any]]:
    """The table of jobs that have ended which has the figure, and a query for those of the project that have one."""
    table: Any = MetricSummary if column.source is Source.METRIC else JobSummary
    value = table.__table__.columns[column.figure or column.name]
    query = select(table.job_id.label("job_id"), value.label("value"))
    query = query.where(value.is_not(None), table.project_id == bindparam("project"))
    return table, query.where(table.name == bindparam("metric")) if table is MetricSummary else query


def _after(query: Select[Any], descending: bool) -> Select[Any]:
    job_id, value = query.selected_columns
    row, place = tuple_(value, job_id), tuple_(bindparam("after"), bindparam("after_id", type_=job_id.type))
    return query.where(row < place if descending else row > place)


def _directed(query: Select[Any], descending: bool) -> list[Any]:
    job_id, value = query.selected_columns
    return [each.desc() if descending else each.asc() for each in (value, job_id)]
