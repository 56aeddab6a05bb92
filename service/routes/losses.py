"""The loss curve of a job: some points as JSON, or every step as CSV or NPY."""

import io
from collections.abc import Iterator

import numpy as np
import orjson
from flask import Response, request
from werkzeug.exceptions import NotAcceptable

from gradyard import shapes
from gradyard.jobs import curves
from gradyard.store import queries
from service.http import parameters
from service.http.callers import current_caller
from service.http.ids import find_job
from service.http.json_response import json_response
from service.http.openapi import EVERY_LOSS, problems, routes
from service.http.services import current_services

JSON, NPY, CSV = "application/json", "application/x-npy", "text/csv"
CSV_LINES_AT_ONCE = 10_000

api = routes("losses", "/v1/jobs", tag="jobs")


@api.get("/<job_id>/losses", responses={"200": EVERY_LOSS, **problems(404, 406, 409, 410, 422)})
def show_losses(path: parameters.JobPath, query: parameters.LossesQuery) -> Response:
    """Show the loss curve.

    JSON has at most `points` steps, the first, last, lowest and highest among them; text/csv and application/x-npy have
    every step.
    """
    form = request.accept_mimetypes.best_match([JSON, NPY, CSV]) if request.accept_mimetypes else JSON
    if form is None:
        raise NotAcceptable(f"losses come as {JSON}, {NPY} or {CSV}")
    with current_services().database.read() as connection:
        job = find_job(connection, path.job_id)
        losses = queries.loss_curve(connection, current_caller().project_id, job.id, job.dtype)
    response = _csv(losses) if form == CSV else npy(losses) if form == NPY else _json(losses, query.points)
    response.headers["Vary"] = "Accept"
    return response


def _json(losses: np.ndarray, points: int) -> Response:
    steps = curves.reduce(losses, points)
    return json_response(shapes.Losses.of(steps=steps, losses=losses[steps]))


def npy(array: np.ndarray) -> Response:
    """An array as a response in NPY format."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return Response(file.getvalue(), content_type=NPY)


def _csv(losses: np.ndarray) -> Response:
    return Response(csv_lines(losses, "step,loss"), content_type=f"{CSV}; charset=utf-8; header=present")


def csv_lines(values: np.ndarray, heading: str, every: int = 1) -> Iterator[bytes]:
    """A heading, then a line for each value: its step, a multiple of `every`, and the value."""
    yield f"{heading}\n".encode()
    for start in range(0, len(values), CSV_LINES_AT_ONCE):
        block = values[start : start + CSV_LINES_AT_ONCE]
        # orjson writes the shortest digits that read back as the same number of the array's own dtype
        digits = orjson.dumps(block, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")
        yield b"".join(b"%d,%s\n" % (index * every, text) for index, text in enumerate(digits, start))
