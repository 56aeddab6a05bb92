"""What a stage of a plug-in reports beside its losses: named curves (metrics) and named arrays (artifacts)."""

import re

import numpy as np
from flask import Response, request
from werkzeug.exceptions import NotAcceptable

from gradyard import shapes
from gradyard.jobs import curves
from gradyard.jobs.errors import NotFound
from gradyard.store import queries
from service.http import parameters
from service.http.callers import current_caller
from service.http.ids import find_job
from service.http.json_response import json_response
from service.http.openapi import ARRAY, EVERY_METRIC, problems, routes
from service.http.services import current_services
from service.routes.losses import CSV, JSON, NPY, csv_lines, npy

NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")

api = routes("metrics_and_artifacts", "/v1/jobs", tag="jobs")


@api.get("/<job_id>/metrics", responses={"200": shapes.MetricList, **problems(404, 409, 410, 422)})
def list_metrics(path: parameters.JobPath, query: parameters.NoQuery) -> Response:
    """List the names of the curves that the job has beside its loss."""
    with current_services().database.read() as connection:
        job = find_job(connection, path.job_id)
        names = queries.metric_names(connection, current_caller().project_id, job.id)
    return json_response(shapes.MetricList.of(metrics=names))


@api.get("/<job_id>/metrics/<name>", responses={"200": EVERY_METRIC, **problems(404, 406, 409, 410, 422)})
def show_metric(path: parameters.NamedPath, query: parameters.LossesQuery) -> Response:
    """Show a named curve.

    JSON has at most `points` of its values, the first, last, lowest and highest among them; text/csv and
    application/x-npy have every value.
    """
    form = request.accept_mimetypes.best_match([JSON, NPY, CSV]) if request.accept_mimetypes else JSON
    if form is None:
        raise NotAcceptable(f"metrics come as {JSON}, {NPY} or {CSV}")
    with current_services().database.read() as connection:
        job = find_job(connection, path.job_id)
        curve = queries.metric_curve(connection, current_caller().project_id, job.id, _named(path.name))
    if form == CSV:
        body = csv_lines(curve.values, "step,value", curve.every)
        response = Response(body, content_type=f"{CSV}; charset=utf-8; header=present")
    elif form == NPY:
        response = npy(curve.values)
    else:
        shown = curves.reduce(np.nan_to_num(curve.values), query.points)
        points = shapes.MetricCurve.of(every=curve.every, steps=curve.steps[shown], values=curve.values[shown])
        response = json_response(points)
    response.headers["Vary"] = "Accept"
    return response


@api.get("/<job_id>/artifacts", responses={"200": shapes.ArtifactList, **problems(404, 409, 410, 422)})
def list_artifacts(path: parameters.JobPath, query: parameters.NoQuery) -> Response:
    """List the named arrays of the job."""
    with current_services().database.read() as connection:
        job = find_job(connection, path.job_id)
        rows = queries.artifacts_of(connection, current_caller().project_id, job.id)
    artifacts = [shapes.Artifact.of(name=each.name, dtype=each.dtype, shape=each.shape) for each in rows]
    return json_response(shapes.ArtifactList.of(artifacts=artifacts))


@api.get("/<job_id>/artifacts/<name>", responses={"200": ARRAY, **problems(404, 409, 410, 422)})
def fetch_artifact(path: parameters.NamedPath, query: parameters.NoQuery) -> Response:
    """Fetch a named array as NPY."""
    with current_services().database.read() as connection:
        job = find_job(connection, path.job_id)
        array = queries.artifact(connection, current_caller().project_id, job.id, _named(path.name))
    return npy(array)


def _named(name: str) -> str:
    """The name; NotFound where it is not a valid one."""
    if not NAME.fullmatch(name):
        raise NotFound(f"nothing is called {name!r}")
    return name
