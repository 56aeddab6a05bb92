"""Metrics of jobs that have begun and not ended, for questions about one batch: read from what they have recorded.

`metric_summaries` has the figures of a job once it has ended. Those of the few that run are computed when they are
asked for, and told to the database with the question.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, bindparam, or_, select, union_all

from gradyard.jobs.questions import terms
from gradyard.jobs.questions.terms import Column, Comparison, Missing, Not, OneOf, Source, Term
from gradyard.store.summaries import figures_of_metric
from gradyard.store.tables import IS_RUNNING, IS_WAITING_AGAIN, Job, MetricChunk


def with_live_metrics(connection: Connection, project_id: int, batch: UUID | None, term: Term) -> Term:
    """The question with the metrics so far of that batch's jobs. Without a batch it is the same one.

    batch: one of this project.
    """
    if batch is None:
        return term
    match term:
        case terms.All(parts) | terms.Any(parts):
            return replace(term, terms=tuple(with_live_metrics(connection, project_id, batch, one) for one in parts))
        case Not(inner):
            return Not(with_live_metrics(connection, project_id, batch, inner))
        case Comparison(column, _, value):
            other = live_in_batch(connection, project_id, batch, value) if isinstance(value, Column) else value
            return replace(term, column=live_in_batch(connection, project_id, batch, column), value=other)
        case OneOf(column) | Missing(column):
            return replace(term, column=live_in_batch(connection, project_id, batch, column))
    return term


def live_in_batch(connection: Connection, project_id: int, batch: UUID | None, column: Column) -> Column:
    """The column; of a metric with the figures so far of that batch's jobs, where a batch is given."""
    if batch is None or column.source is not Source.METRIC or column.live:
        return column
    return _live(connection, column, _begun_of_batch, {"project": project_id, "batch": batch})


def live_of_jobs(connection: Connection, column: Column, job_ids: Sequence[UUID]) -> Column:
    """The column; of a metric with the figures so far of those of the jobs that have not ended."""
    if column.source is not Source.METRIC:
        return column
    return _live(connection, column, _begun_of_jobs, {"of_jobs": list(job_ids)})


def _live(connection: Connection, column: Column, begun: Any, values: dict[str, Any]) -> Column:
    """The chunks are read one job after another: of a job that has recorded a thousand times it takes milliseconds."""
    mine = MetricChunk.job_id.in_(begun), MetricChunk.name == bindparam("metric")
    chunks = connection.execute(_chunks.where(*mine), values | {"metric": column.name})
    figures = ((job_id, figures_of_metric(list(some))[column.figure]) for job_id, some in groupby(chunks, _job_of))
    return replace(column, live=tuple((job_id.hex, float(value)) for job_id, value in figures if value is not None))


def _job_of(chunk: Any) -> UUID:
    job_id: UUID = chunk.job_id
    return job_id


_of_batch = Job.project_id == bindparam("project"), Job.batch_id == bindparam("batch")
_begun_of_batch: Select[Any] = select(
    union_all(select(Job.id).where(IS_RUNNING, *_of_batch), select(Job.id).where(IS_WAITING_AGAIN, *_of_batch))
    .subquery().c.id
)  # fmt: skip
_begun_of_jobs = select(Job.id).where(
    Job.id.in_(bindparam("of_jobs", expanding=True)), or_(IS_RUNNING, IS_WAITING_AGAIN)
)
_chunks = select(
    MetricChunk.job_id, MetricChunk.start_step, MetricChunk.every, MetricChunk.metric_values
).order_by(MetricChunk.job_id, MetricChunk.start_step)  # fmt: skip
