"""Queries by figures that an index has in order: of each stage and final state, and of the jobs that run.

They are written as text: with eight stages SQLAlchemy takes 6 ms to build and compile such a statement, and there is
one for each order and filter. Names in it are those of our tables; values are bound, but for the numbers of its limits.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Float, TextualSelect, Uuid, bindparam, text

from gradyard.jobs.questions.terms import Column, Source
from gradyard.jobs.states import FINISHED, State
from gradyard.store.tables import FIGURES_IN_ORDER, IS_RUNNING, IS_WAITING_AGAIN, METRICS_IN_ORDER

_OPERATORS = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "==": "="}


@dataclass(frozen=True)
class FigureKind:
    """A figure whose jobs an index has in order: what a query by it is written for.

    `name` is that of its column in `summaries` and `jobs`, or in `metric_summaries`.
    """

    name: str
    is_of_metric: bool


def figure_kind(column: Column) -> FigureKind | None:
    """The kind of this column; None where no index has the jobs of each stage and final state in its order."""
    if column.source is Source.METRIC:
        return FigureKind(column.figure, True) if column.figure in METRICS_IN_ORDER else None
    is_in_order = column.source is Source.FIELD and column.name in FIGURES_IN_ORDER
    return FigureKind(column.name, False) if is_in_order else None


def bound_values(column: Column, project_id: int, stages: tuple[str, ...]) -> dict[str, Any]:
    """The values of the parameters that every query here has: the project, its stages, and the name of a metric."""
    named = {f"nth_stage_{number}": stage for number, stage in enumerate(stages)}
    return {"project": project_id, **named, **({"metric": column.name} if column.source is Source.METRIC else {})}


@lru_cache(maxsize=256)
def merged_streams(
    kind: FigureKind, stages: int, states: tuple[State, ...], so_many: int, skipped: int, *, descending: bool,
    after: bool, on_sqlite: bool,
) -> TextualSelect:  # fmt: skip
    """A query for the first jobs that have the figure (job_id, value), merged from each stage and state.

    so_many: how many to give, after skipping `skipped`. Its parameters: those of `bound_values`; with `after` also
    `after` and `after_id`, the value and the job behind which they are. SQLite merges queries that stand beside one
    another as they are, PostgreSQL those that are in order by themselves. PostgreSQL knows the numbers when it plans:
    as parameters it would plan the parts anew each time, which takes longer than to read them.
    """
    way, beyond = ("DESC", "<") if descending else ("ASC", ">")
    order = f"ORDER BY value {way}, job_id {way}"
    each = [part.query(f"{part.place} {beyond} (:after, :after_id)" if after else "") for part in _parts(
        kind, stages, states
    )]  # fmt: skip
    if not on_sqlite:
        first = f"{order} LIMIT {so_many + skipped:d}"
        each = [f"SELECT * FROM ({query} {first}) AS stream_{number}" for number, query in enumerate(each)]
    merged = text(f"{' UNION ALL '.join(each)} {order} LIMIT {so_many:d} OFFSET {skipped:d}")
    typed = merged.bindparams(bindparam("after_id", type_=Uuid())) if after else merged
    return typed.columns(job_id=Uuid(), value=Float())


@lru_cache(maxsize=64)
def jobs_compared(kind: FigureKind, operator: str, stages: int) -> TextualSelect:
    """A query for jobs whose figure compares so with a value (job_id), in no order.

    operator: `<`, `<=`, `>`, `>=` or `==`. Its parameters: those of `bound_values`; `value`; `so_many`, how many to
    give at most.
    """
    compared = (part.query(f"{part.figure} {_OPERATORS[operator]} :value") for part in _parts(
        kind, stages, tuple(State)
    ))  # fmt: skip
    each = (f"SELECT job_id FROM ({query} LIMIT :so_many) AS part_{n}" for n, query in enumerate(compared))
    return text(f"{' UNION ALL '.join(each)} LIMIT :so_many").columns(job_id=Uuid())


@dataclass(frozen=True)
class _Part:
    """The jobs of a stage and a state, or of all stages in one: a part that an index has in order."""

    table: str
    job_id: str
    figure: str
    condition: str

    @property
    def place(self) -> str:
        return f"({self.figure}, {self.job_id})"

    def query(self, more: str) -> str:
        wanted = f"{self.condition} AND {self.figure} IS NOT NULL{' AND ' if more else ''}{more}"
        return f"SELECT {self.job_id} AS job_id, {self.figure} AS value FROM {self.table} WHERE {wanted}"


def _parts(kind: FigureKind, stages: int, states: tuple[State, ...]) -> Iterator[_Part]:
    table = "metric_summaries" if kind.is_of_metric else "summaries"
    figure, of_metric = f'{table}."{kind.name}"', " AND name = :metric" if kind.is_of_metric else ""
    for state in (state for state in states if state in FINISHED):
        for number in range(stages):
            mine = f"project_id = :project AND stage = :nth_stage_{number} AND state = '{state}'{of_metric}"
            yield _Part(table, f"{table}.job_id", figure, mine)
    if kind.is_of_metric:
        return  # a job has a metric from its end on
    of_stages = ", ".join(f":nth_stage_{number}" for number in range(stages))
    for state, begun in ((State.RUNNING, IS_RUNNING), (State.QUEUED, IS_WAITING_AGAIN)):
        if state in states:
            mine = f"{begun} AND jobs.project_id = :project AND jobs.stage IN ({of_stages})"
            yield _Part("jobs", "jobs.id", f'jobs."{kind.name}"', mine)
