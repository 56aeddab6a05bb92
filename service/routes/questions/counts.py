"""Jobs of a question, counted and summarized."""

from dataclasses import asdict
from typing import Any

from flask import Response
from sqlalchemy import Connection

from gradyard import shapes
from gradyard.jobs.errors import SpecInvalid
from gradyard.jobs.questions.named import Named, figures_named, groups_named
from gradyard.jobs.questions.terms import Kind
from gradyard.store.dialects import as_datetime
from gradyard.store.queries.questions.counts import count_asked
from gradyard.store.queries.questions.groups import Figures, Group, summary_asked
from service.http.access.callers import current_caller
from service.http.errors import ParametersInvalid
from service.http.ids import find_batch
from service.http.json_response import json_response
from service.http.openapi import problems, routes
from service.http.query_parameters.groups import CountQuery, SummaryQuery
from service.http.query_parameters.where import question_without_curves
from service.http.services import current_services

api = routes("counts", "/v1/jobs", tag="questions")


@api.get("/count", responses={"200": shapes.JobCount, **problems(404, 409, 410, 422)})
def count_jobs(query: CountQuery) -> Response:
    """Count the jobs, or those that satisfy a question."""
    with current_services().database.snapshot() as connection:
        count = count_asked(connection, current_caller().project_id, **_chosen(connection, query))
    return json_response(shapes.JobCount.of(count=count))


@api.get("/summary", responses={"200": shapes.JobGroups, **problems(404, 409, 410, 422)})
def summarize_jobs(query: SummaryQuery) -> Response:
    """Put the jobs of a question into groups, and measure columns of each: median and 95th percentile among others.

    Without `group` they are one group. A thousand groups at most.
    """
    try:
        by, of = (read(text) if text is not None else {} for read, text in (
            (groups_named, query.group), (figures_named, query.of)))  # fmt: skip
    except SpecInvalid as error:
        raise ParametersInvalid(error.problems) from None
    with current_services().database.snapshot() as connection:
        chosen = _chosen(connection, query)
        found = summary_asked(connection, current_caller().project_id, by=by, of=of, **chosen)
    groups = [_group_answer(group, by, of) for group in found.groups]
    return json_response(shapes.JobGroups.of(groups=groups, more=found.more))


def _chosen(connection: Connection, query: CountQuery) -> dict[str, Any]:
    batch = None if query.batch is None else find_batch(connection, query.batch).id
    asked = question_without_curves(connection, query.where, batch)
    return {"question": asked, "state": query.state, "stage": query.stage, "batch": batch}


def _group_answer(group: Group, by: Named, of: Named) -> shapes.JobGroup:
    values = {name: _value_answer(value, by[name].kind) for name, value in group.values.items()}
    figures = {name: _figures_answer(each, of[name].kind) for name, each in group.figures.items()}
    return shapes.JobGroup.of(group=values, count=group.count, figures=figures)


def _value_answer(value: Any, kind: Kind) -> Any:
    return as_datetime(value) if kind is Kind.TIME else value


def _figures_answer(figures: Figures, kind: Kind) -> dict[str, Any]:
    return {name: value if name == "count" else _value_answer(value, kind) for name, value in asdict(figures).items()}
