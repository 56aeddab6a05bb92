"""Figures of jobs in groups: how many, and of columns the lowest, highest, middle and late value and the mean."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Double, Row, Select, Text, func, literal, select
from sqlalchemy import cast as as_type
from sqlalchemy.orm import aliased

from gradyard.jobs.questions.named import Named
from gradyard.jobs.questions.terms import Column, Kind, Source, Term
from gradyard.jobs.states import State
from gradyard.store.dialects import in_byte_order
from gradyard.store.quantiles import figures_of
from gradyard.store.queries.questions.conditions import value_of
from gradyard.store.queries.questions.counts import rows_asked
from gradyard.store.tables import JobParameter, JobSummary, JobTag, MetricSummary

MOST_GROUPS = 1000

Value = float | int | str | UUID | None


@dataclass(frozen=True)
class Figures:
    """Of the values of a column: how many, and figures of them, None where there are none."""

    count: int
    min: float | None
    max: float | None
    mean: float | None
    median: float | None
    p95: float | None


@dataclass(frozen=True)
class Group:
    """Jobs with the same values of some columns: these values, how many jobs, and figures of other columns."""

    values: dict[str, Value]
    count: int
    figures: dict[str, Figures]


@dataclass(frozen=True)
class Groups:
    """The groups in the order of their values, and whether there are more."""

    groups: list[Group]
    more: bool


def summary_asked(
    connection: Connection, project_id: int, question: Term | None = None, *, by: Named, of: Named,
    state: State | None = None, stage: str | None = None, batch: UUID | None = None,
) -> Groups:  # fmt: skip
    """Figures of the columns `of`, for each combination of values that the columns `by` have in those jobs.

    Without `by` it is one group. Jobs without a value of a column are a group of their own, the first. Texts are in the
    order of their bytes. MOST_GROUPS groups at most.
    """
    wanted = rows_asked(connection, project_id, question, state=state, stage=stage, batch=batch)
    rows = list(connection.execute(_statement(wanted, by, of, connection.dialect.name == "sqlite")))
    groups = [Group(dict(_values(row, by)), row.jobs, dict(_figures(row, of))) for row in rows]
    return Groups(groups[:MOST_GROUPS], more=len(groups) > MOST_GROUPS)


def _statement(wanted: list[ColumnElement[bool]], by: Named, of: Named, on_sqlite: bool) -> Select[Any]:
    """One pass over the jobs, whose values are looked up in the inner query."""
    inner: Any = select(literal(1).label("one")).select_from(JobSummary).where(*wanted)
    for place, column in enumerate(by.values()):
        inner = _with_column(inner, column, f"by_{place}", number_alone=False)
    for place, column in enumerate(of.values()):
        inner = _with_column(inner, column, f"of_{place}", number_alone=True)
    # An offset keeps SQLite from looking a value up anew for each of its figures.
    asked = (inner.offset(0) if on_sqlite else inner).subquery()
    keys = [column for column in asked.c if column.name.startswith("by_")]
    outer = select(*keys, func.count().label("jobs"))
    outer = outer.add_columns(
        *(figures_of(asked.c[f"of_{place}"]).label(f"figures_{place}") for place in range(len(of)))
    )
    if not keys:
        return outer.select_from(asked)
    # The missing ones first: then SQLite need not compute the groups that are not shown.
    return outer.group_by(*keys).order_by(*(key.asc().nulls_first() for key in keys)).limit(MOST_GROUPS + 1)


def _with_column(query: Any, column: Column, label: str, *, number_alone: bool) -> Any:
    if column.source is Source.PARAMETER:
        shared = aliased(JobParameter)
        of_name = (shared.set_id == JobSummary.parameters_id) & (shared.name == column.name)
        query = query.outerjoin(shared, of_name).add_columns(shared.number.label(label))
        return query if number_alone else query.add_columns(in_byte_order(shared.text).label(f"{label}_text"))
    query, value = _with_value(query, column)
    if number_alone:
        value = as_type(value, Double)
    elif column.kind is Kind.TEXT and not column.is_id:
        value = in_byte_order(as_type(value, Text) if column.source is Source.TAG else value)
    return query.add_columns(value.label(label))


def _with_value(query: Any, column: Column) -> tuple[Any, Any]:
    """The query with the value of a column; joined, so that PostgreSQL need not look it up job by job."""
    match column.source:
        case Source.METRIC:
            metric: Any = aliased(MetricSummary)
            of_name = (metric.job_id == JobSummary.job_id) & (metric.name == column.name)
            return query.outerjoin(metric, of_name), getattr(metric, column.figure)
        case Source.TAG:
            tag: Any = aliased(JobTag)
            return query.outerjoin(tag, (tag.job_id == JobSummary.job_id) & (tag.key == column.name)), tag.value
    return query, value_of(column)


def _values(row: Row[Any], by: Named) -> Iterator[tuple[str, Value]]:
    found = row._mapping
    for place, name in enumerate(by):
        value = found[f"by_{place}"]
        yield name, found.get(f"by_{place}_text") if value is None else value


def _figures(row: Row[Any], of: Named) -> Iterator[tuple[str, Figures]]:
    for place, name in enumerate(of):
        measured = row._mapping[f"figures_{place}"]
        yield name, _NONE if measured is None else Figures(*measured)


_NONE = Figures(0, None, None, None, None, None)
