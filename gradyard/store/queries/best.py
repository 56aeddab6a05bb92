"""The best jobs: of those that succeeded, the first in the order of a figure."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select

from gradyard.jobs.questions.order import Order
from gradyard.jobs.questions.terms import Term
from gradyard.jobs.states import State
from gradyard.store.queries.questions.conditions import condition
from gradyard.store.queries.questions.orders import jobs_in_order
from gradyard.store.tables import JobSummary, MetricSummary


def best_jobs(
    connection: Connection, project_id: int, order: Order, *, limit: int,
    question: Term | None = None, batch: UUID | None = None, stage: str | None = None,
) -> list[Row[Any]]:  # fmt: skip
    """The first succeeded jobs in that order, at most `limit`. Jobs without a value of it are none of them."""
    found, cursor = list[Row[Any]](), None
    while True:
        page = jobs_in_order(
            connection, project_id, order, question, limit=limit - len(found), cursor=cursor,
            state=State.SUCCEEDED, stage=stage, batch=batch,
        )  # fmt: skip
        found, cursor = [*found, *page.jobs], page.next_cursor
        if len(found) >= limit or cursor is None:
            return found


def some_succeeded(
    connection: Connection, project_id: int, *, question: Term | None = None, batch: UUID | None = None,
    among: Collection[str] | None = None, beside: Collection[str] = (),
) -> UUID | None:  # fmt: skip
    """One succeeded job that is asked for; among: of these stages; beside: of none of these. None where there is none.

    It says which stages there are, without reading all jobs.
    """
    query = select(JobSummary.job_id).where(JobSummary.project_id == project_id, JobSummary.state == State.SUCCEEDED)
    query = query if question is None else query.where(condition(question))
    query = query if batch is None else query.where(JobSummary.batch_id == batch)
    query = query if among is None else query.where(JobSummary.stage.in_(among))
    query = query.where(JobSummary.stage.not_in(beside)) if beside else query
    return connection.execute(query.limit(1)).scalar()


def metrics_measured(connection: Connection, project_id: int, job_id: UUID) -> list[str]:
    """The names of the metrics of a job that has ended, sorted."""
    mine = MetricSummary.job_id == job_id, MetricSummary.project_id == project_id
    return list(connection.execute(select(MetricSummary.name).where(*mine).order_by(MetricSummary.name)).scalars())
