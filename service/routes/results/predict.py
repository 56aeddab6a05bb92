"""What the model of a finished job says at other points."""

from typing import Any

import numpy as np
from flask import Response
from sqlalchemy import Row

from gradyard import shapes
from gradyard.jobs.errors import IllegalMove
from gradyard.jobs.numbers.models import UNSETTLED, predicted
from gradyard.jobs.numbers.scaling import Scaling
from gradyard.jobs.states import State
from gradyard.jobs.submission.requests.predictions import read_prediction_request
from service.http import parameters
from service.http.ids import find_job
from service.http.json_response import json_response
from service.http.openapi import PREDICTION, problems, routes
from service.http.requests import json_body
from service.http.services import current_services

api = routes("predict", "/v1/jobs", tag="results")


@api.post(
    "/<job_id>/predict", responses={"200": shapes.Predictions, **problems(400, 404, 409, 410, 413, 415, 422)},
    openapi_extensions=PREDICTION,
)  # fmt: skip
def predict(path: parameters.JobPath, query: parameters.ProjectQuery) -> Response:
    """Compute y at each x by the fitted coefficients, in float64 and in the units of the data as sent.

    Null where y is too large for a float64. Refused for `dynamic`, whose model has another order at each step.
    """
    with current_services().database.read() as connection:
        job = find_job(connection, path.job_id)
    asked = read_prediction_request(json_body('{"x": [0, 0.5]}'))
    x = np.array(asked.x, np.float64)
    return json_response(shapes.Predictions.of(x=asked.x, y=predicted(job.stage, *_model_of(job, x))))


def _model_of(job: Row[Any], x: np.ndarray) -> tuple[dict[str, float], np.ndarray, Scaling | None]:
    if job.state != State.SUCCEEDED:
        raise IllegalMove(f"the job is {job.state}; only one that succeeded has coefficients")
    if not job.coefficients and not job.scaled_coefficients:
        raise IllegalMove(f"the stage {job.stage} gives no coefficients")
    if job.stage == UNSETTLED:
        raise IllegalMove(f"the model of {job.stage} has another order at each step, so it has no single value")
    if job.scaled_coefficients:  # coefficients in the data's own units may have lost digits
        return job.scaled_coefficients, x, Scaling(**job.resolved["scaling"])
    return job.coefficients, x, None
