"""Values of columns of some jobs, for lists that show columns of choice."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, select

from gradyard.jobs.questions.terms import Column, Source
from gradyard.store.queries.questions.conditions import value_of
from gradyard.store.queries.questions.curves import first_steps_below
from gradyard.store.queries.questions.live_metrics import live_of_jobs
from gradyard.store.tables import JobParameter, JobSummary

Values = dict[str, float | str | None]


def values_of_jobs(
    connection: Connection, project_id: int, columns: Mapping[str, Column], job_ids: Sequence[UUID]
) -> dict[UUID, Values]:  # fmt: skip
    """The values of each job by the columns' names: numbers, texts, times in seconds since 1970; None where none is.

    A batch is told by its id's text.
    """
    plain = {
        name: live_of_jobs(connection, column, job_ids)
        for name, column in columns.items()
        if column.source is not Source.CURVE
    }
    query = select(JobSummary.job_id, *(part for column in plain.values() for part in _selected(column)))
    query = query.where(JobSummary.project_id + 0 == project_id, JobSummary.job_id.in_(job_ids))
    found = {row[0]: dict(zip(plain, _read(row[1:], plain.values()), strict=True)) for row in connection.execute(query)}
    losses = {column.below for column in columns.values() if column.source is Source.CURVE}
    steps = first_steps_below(connection, project_id, job_ids, losses)
    for job_id, values in found.items():
        values |= {
            name: steps[column.below].get(job_id) for name, column in columns.items() if column.source is Source.CURVE
        }
    return {job_id: {name: values[name] for name in columns} for job_id, values in found.items()}


def _selected(column: Column) -> list[ColumnElement[Any]]:
    """What is selected for a column: of a parameter its number and its text."""
    if column.source is not Source.PARAMETER:
        return [value_of(column)]
    mine = JobParameter.set_id == JobSummary.parameters_id, JobParameter.name == column.name
    return [select(each).where(*mine).correlate(JobSummary).scalar_subquery()
            for each in (JobParameter.number, JobParameter.text)]  # fmt: skip


def _read(values: Sequence[Any], columns: Any) -> Iterator[float | str | None]:
    rest = iter(values)
    for column in columns:
        value = next(rest)
        if column.source is Source.PARAMETER:
            text = next(rest)
            value = text if value is None else value
        yield str(value) if isinstance(value, UUID) else value
