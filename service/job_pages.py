"""Pages of jobs by the parameters of a request, whole or as some columns: for the route and the page."""

from datetime import datetime

from sqlalchemy import Connection

from gradyard import shapes
from gradyard.jobs.questions.filters import everyday_filters
from gradyard.jobs.questions.named import Named
from gradyard.jobs.questions.order import order
from gradyard.jobs.questions.read import question
from gradyard.jobs.questions.terms import All, Column, Kind, Term
from gradyard.store import queries
from gradyard.store.dialects import as_datetime
from service.http import parameters
from service.http.access.callers import current_caller
from service.http.ids import find_id


def page_asked(connection: Connection, query: parameters.ListQuery) -> queries.Page:
    """The page of jobs that a request asks for. Raises SpecInvalid where cursor, question or order is not valid."""
    chosen = query.model_dump(include={"limit", "cursor", "state", "stage"})
    chosen["batch"] = query.batch and find_id(connection, query.batch, "batch")
    project, asked = current_caller().project_id, _question(query)
    if query.sort is not None:
        return queries.jobs_in_order(connection, project, order(query.sort), asked, **chosen)
    if asked is not None:
        return queries.jobs_asked(connection, project, asked, **chosen)
    return queries.jobs_newest_first(connection, project, **chosen)


def _question(query: parameters.ListQuery) -> Term | None:
    filters = everyday_filters(query.name, query.tag)
    terms = [*filters, *([] if query.where is None else [question(query.where)])]
    return All(tuple(terms)) if terms else None


def values_shown(connection: Connection, page: queries.Page, columns: Named) -> list[shapes.JobValues]:
    """The values of these columns of each job of a page; a job that was deleted since is left out."""
    job_ids = [job.id for job in page.jobs]
    found = queries.values_of_jobs(connection, current_caller().project_id, columns, job_ids)
    return [
        shapes.JobValues.of(
            id=job_id, values={name: _told(value, columns[name]) for name, value in found[job_id].items()}
        )
        for job_id in job_ids
        if job_id in found  # it may have been deleted since
    ]


def _told(value: float | str | None, column: Column) -> float | str | datetime | None:
    if column.kind is Kind.TIME and isinstance(value, float):
        return as_datetime(value)
    return value
