"""What a stage of a plug-in reports beside its losses: named curves (metrics) and named arrays (artifacts)."""

import re
from typing import Any

import numpy as np
from flask import Response
from sqlalchemy import Connection, Row

from gradyard import shapes
from gradyard.jobs.curves import Curve
from gradyard.jobs.errors import NotFound
from gradyard.store import queries
from service.http import parameters
from service.http.access.callers import current_caller
from service.http.ids import find_job
from service.http.json_response import json_response
from service.http.kept_answers import tag_of, unchanged, with_tag
from service.http.openapi import problems, routes
from service.http.query_parameters.curves import CurveQuery, CurvesQuery, MetricPath
from service.http.services import current_services
from service.many_curves import OfJobs, many_curves
from service.representation.curves import (
    ARRAY,
    CSV,
    EVERY_METRIC,
    JSON,
    METRIC_OF_MANY,
    NPY,
    UNCHANGED,
    curve_response,
    form_of,
    npy,
)

NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")

api = routes("metrics_and_artifacts", "/v1", tag="results")


@api.get("/jobs/<job_id>/metrics", responses={"200": shapes.MetricList, **problems(404, 409, 410, 422)})
def list_metrics(path: parameters.JobPath, query: parameters.ProjectQuery) -> Response:
    """List the names of the curves that the job has beside its loss."""
    with current_services().database.read() as connection:
        job = find_job(connection, path.job_id)
        names = queries.metric_names(connection, current_caller().project_id, job.id)
    return json_response(shapes.MetricList.of(metrics=names))


@api.get(
    "/jobs/<job_id>/metrics/<name>",
    responses={"200": EVERY_METRIC, "304": UNCHANGED, **problems(404, 406, 409, 410, 422)},
)
def show_metric(path: parameters.NamedPath, query: CurveQuery) -> Response:
    """Show a named curve, or a range of its steps; its last value is that of the final weights.

    JSON has at most `points` of its values, the first, last, lowest and highest among them; text/csv and
    application/x-npy have every value. The answer about a job that has ended has an ETag.
    """
    form, project = form_of(JSON, NPY, CSV, what="metrics come"), current_caller().project_id
    with current_services().database.snapshot() as connection:
        job = find_job(connection, path.job_id)
        name, tag = _named(path.name), tag_of([job], form)
        if known := unchanged(tag):
            return known
        curve = queries.metric_curve(connection, project, job.id, name, query.first, query.after)

    def shown(points: Curve) -> shapes.MetricCurve:
        return shapes.MetricCurve.of(every=curve.every, steps=points.steps, values=points.values)

    response = curve_response(form, curve, query.points, "step,value", shown)
    response.headers["Every"] = str(curve.every)
    return with_tag(response, tag)


@api.get(
    "/metrics/<name>",
    responses={"200": METRIC_OF_MANY, "304": UNCHANGED, **problems(404, 406, 409, 410, 422, 505)},
)
def show_metric_of_many(path: MetricPath, query: CurvesQuery) -> Response:
    """Show one metric of several jobs, or the same range of each; the curve of a job without it is empty.

    JSON has at most `points` values of each; text/csv has every value, with the job in its first column.
    """
    project, name = current_caller().project_id, _named(path.name)

    def read(connection: Connection, job: Row[Any], first: int | None, after: int | None) -> Curve:
        try:
            return queries.metric_curve(connection, project, job.id, name, first, after)
        except NotFound:
            return Curve(range(0), np.empty(0))

    def shown(curves: OfJobs) -> shapes.MetricOfJobs:
        each = [shapes.MetricOfJob.of(job=job.id, steps=curve.steps, values=curve.values) for job, curve in curves]
        return shapes.MetricOfJobs.of(metric=name, curves=each)

    return many_curves(query, read, "job,step,value", shown)


@api.get("/jobs/<job_id>/artifacts", responses={"200": shapes.ArtifactList, **problems(404, 409, 410, 422)})
def list_artifacts(path: parameters.JobPath, query: parameters.ProjectQuery) -> Response:
    """List the named arrays of the job."""
    with current_services().database.read() as connection:
        job = find_job(connection, path.job_id)
        rows = queries.artifacts_of(connection, current_caller().project_id, job.id)
    artifacts = [shapes.Artifact.of(name=each.name, dtype=each.dtype, shape=each.shape) for each in rows]
    return json_response(shapes.ArtifactList.of(artifacts=artifacts))


@api.get("/jobs/<job_id>/artifacts/<name>", responses={"200": ARRAY, "304": UNCHANGED, **problems(404, 409, 410, 422)})
def fetch_artifact(path: parameters.NamedPath, query: parameters.ProjectQuery) -> Response:
    """Fetch a named array as NPY."""
    with current_services().database.read() as connection:
        job = find_job(connection, path.job_id)
        name, tag = _named(path.name), tag_of([job], NPY)
        if known := unchanged(tag):
            return known
        array = queries.artifact(connection, current_caller().project_id, job.id, name)
    return with_tag(npy(array), tag)


def _named(name: str) -> str:
    """The name; NotFound where it is not a valid one."""
    if not NAME.fullmatch(name):
        raise NotFound(f"nothing is called {name!r}")
    return name
