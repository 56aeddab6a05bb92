"""The loss curves of jobs: of one, or of many in one answer."""

from flask import Response

from gradyard import shapes
from gradyard.jobs.curves import Curve
from gradyard.store import queries
from service.http import parameters
from service.http.access.callers import current_caller
from service.http.ids import find_job
from service.http.kept_answers import tag_of, unchanged, with_tag
from service.http.openapi import problems, routes
from service.http.query_parameters.curves import CurveQuery, CurvesQuery
from service.http.services import current_services
from service.many_curves import OfJobs, many_curves
from service.representation.curves import CSV, EVERY_LOSS, JSON, LOSSES_OF_MANY, NPY, UNCHANGED, curve_response, form_of

api = routes("losses", "/v1", tag="results")


@api.get("/jobs/<job_id>/losses", responses={"200": EVERY_LOSS, "304": UNCHANGED, **problems(404, 406, 409, 410, 422)})
def show_losses(path: parameters.JobPath, query: CurveQuery) -> Response:
    """Show the loss curve, or a range of its steps.

    JSON has at most `points` steps, the first, last, lowest and highest among them; text/csv and application/x-npy have
    every step. The answer about a job that has ended has an ETag.
    """
    form, project = form_of(JSON, NPY, CSV, what="losses come"), current_caller().project_id
    with current_services().database.snapshot() as connection:
        job = find_job(connection, path.job_id)
        tag = tag_of([job], form)
        if known := unchanged(tag):
            return known
        losses = queries.loss_range(connection, project, job.id, job.dtype, query.first, query.after)
    return with_tag(curve_response(form, losses, query.points, "step,loss", _shown), tag)


@api.get("/losses", responses={"200": LOSSES_OF_MANY, "304": UNCHANGED, **problems(404, 406, 409, 410, 422, 505)})
def show_losses_of_many(query: CurvesQuery) -> Response:
    """Show the loss curves of several jobs, or the same range of each, in the order in which they are asked for.

    JSON has at most `points` steps of each; text/csv has every step, with the job in its first column.
    """
    project = current_caller().project_id
    return many_curves(
        query,
        lambda connection, job, *between: queries.loss_range(connection, project, job.id, job.dtype, *between),
        "job,step,loss", _shown_of_many,
    )  # fmt: skip


def _shown(curve: Curve) -> shapes.Losses:
    return shapes.Losses.of(steps=curve.steps, losses=curve.values)


def _shown_of_many(curves: OfJobs) -> shapes.LossesOfJobs:
    shown = [shapes.LossesOfJob.of(job=job.id, steps=curve.steps, losses=curve.values) for job, curve in curves]
    return shapes.LossesOfJobs.of(curves=shown)
