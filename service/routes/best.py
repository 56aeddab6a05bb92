"""The best jobs, by a metric: of a batch, or of all those of which something is true."""

from typing import Any

from flask import Response

from gradyard import shapes
from service.best import Choice, best_answer
from service.http import parameters
from service.http.access.callers import current_caller
from service.http.ids import find_batch
from service.http.json_response import json_response
from service.http.openapi import problems, routes
from service.http.query_parameters.best import BestOfJobsQuery, BestQuery
from service.http.query_parameters.where import question_without_curves
from service.http.services import current_services

api = routes("best", "/v1", tag="questions")


@api.get("/batches/<batch_id>/best", responses={"200": shapes.BestJobs, **problems(404, 409, 410, 422)})
def best_of_batch(path: parameters.BatchPath, query: BestQuery) -> Response:
    """List the succeeded jobs of a batch that have the best value of a metric, the best first.

    Without a metric, that of their stage; 422 where their stages differ in it.
    """
    with current_services().database.snapshot() as connection:
        of: dict[str, Any] = {"batch": find_batch(connection, path.batch_id).id}
        choice = Choice(connection, current_caller().project_id, of)
        return json_response(best_answer(choice, query.metric, query.mode, query.limit))


@api.get("/jobs/best", responses={"200": shapes.BestJobs, **problems(404, 409, 410, 422)})
def best_of_jobs(query: BestOfJobsQuery) -> Response:
    """List the succeeded jobs that have the best value of a metric, the best first; with `where`, of those alone.

    Without a metric, that of their stage; 422 where their stages differ in it.
    """
    with current_services().database.snapshot() as connection:
        batch = None if query.batch is None else find_batch(connection, query.batch).id
        asked = question_without_curves(connection, query.where, batch)
        of = {"batch": batch, "question": asked}
        choice = Choice(connection, current_caller().project_id, of, query.stage)
        return json_response(best_answer(choice, query.metric, query.mode, query.limit))
