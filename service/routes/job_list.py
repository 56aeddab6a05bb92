"""Lists of jobs: the newest first or in an order, all or those that satisfy a question, whole or some columns."""

from flask import Response
from sqlalchemy import Connection

from gradyard import shapes
from gradyard.jobs.errors import SpecInvalid
from gradyard.jobs.identifiers import submitted_at_of
from gradyard.jobs.questions.named import fields_named
from gradyard.store import queries
from gradyard.store.dialects import as_datetime
from service.http import parameters
from service.http.access.callers import current_caller
from service.http.errors import ParametersInvalid
from service.http.ids import find_batch
from service.http.json_response import json_response
from service.http.openapi import problems
from service.http.services import current_services
from service.job_pages import page_asked, values_shown
from service.representation.dependencies import depends_on_of
from service.representation.jobs import job_answer
from service.representation.wait_reasons import why_each_waits
from service.routes.jobs import api  # one path has one set of routes: the OpenAPI document keeps the last


@api.get("", responses={"200": shapes.JobList, **problems(404, 409, 410, 422)})
def list_jobs(query: parameters.ListQuery) -> Response:
    """List jobs, the newest first or in the order of `sort`; with `where`, those that satisfy a question.

    A question may have to look at many jobs. A page then ends after a second, perhaps with few jobs or none:
    `looked_back_to` says how far it has come, and its `next_cursor` goes on from there. With `fields`, each job has its
    id and its values of these columns alone.
    """
    with current_services().database.snapshot() as connection:
        try:
            columns = None if query.fields is None else fields_named(query.fields)
            page = page_asked(connection, query)
        except SpecInvalid as error:  # the cursor, the question, the order or a column is not valid
            raise ParametersInvalid(error.problems) from None
        if query.batch and not page.jobs and page.next_cursor is None:
            find_batch(connection, query.batch)  # an empty page must not hide that there is no such batch
        jobs = _whole(connection, page) if columns is None else values_shown(connection, page, columns)
    looked = page.looked_to and as_datetime(submitted_at_of(page.looked_to))
    return json_response(shapes.JobList.of(jobs=jobs, next_cursor=page.next_cursor, looked_back_to=looked))


def _whole(connection: Connection, page: queries.Page) -> list[shapes.Job]:
    waiting = why_each_waits(connection, page.jobs)
    metrics = queries.metric_figures(connection, current_caller().project_id, page.jobs)
    depends_on = depends_on_of(connection, page.jobs)
    return [
        job_answer(job, why, metrics=metrics.get(job.id), depends_on=depends_on.get(job.id, []))
        for job, why in zip(page.jobs, waiting, strict=True)
    ]
