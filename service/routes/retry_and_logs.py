"""What can be done with a job that is over: try it again, read what was said."""

import orjson
from flask import Response

from gradyard import shapes
from gradyard.jobs.errors import IllegalMove
from gradyard.jobs.states import FINISHED
from gradyard.jobs.submission.parse import parse_job
from gradyard.store import queries
from service.http import parameters
from service.http.callers import current_caller
from service.http.json_response import json_response
from service.http.openapi import REPEATABLE, problems, routes
from service.http.path_ids import find_job
from service.http.services import current_services
from service.submission import accept_job

api = routes("retry_and_logs", "/v1/jobs", tag="jobs")


@api.post(
    "/<job_id>/retry", responses={"202": shapes.Job, **problems(400, 404, 409, 410, 422, 429)},
    openapi_extensions=REPEATABLE,
)  # fmt: skip
def retry_job(path: parameters.JobPath, query: parameters.NoQuery) -> Response:
    """Submit a job that is over once more, as a new job with the same spec.

    With an Idempotency-Key, the same request sent again is answered with the job that the first one made.
    """
    with current_services().database.read() as connection:
        job = find_job(connection, path.job_id)
    if job.state not in FINISHED:
        raise IllegalMove(f"the job is {job.state}; only one that is over can be tried again")
    parsed = parse_job(orjson.dumps(job.spec), current_services().settings)
    return accept_job(parsed, f"a retry of {job.id}".encode(), retry_of=job.id)


@api.get("/<job_id>/logs", responses={"200": shapes.LogList, **problems(404, 410, 422)})
def list_logs(path: parameters.JobPath, query: parameters.NoQuery) -> Response:
    """List what the job's runner said, by attempt: its output and the traceback of an error, the last 64 KiB each."""
    with current_services().database.read() as connection:
        job = find_job(connection, path.job_id)
        rows = queries.logs_of(connection, current_caller().project_id, job.id)
    logs = [shapes.AttemptLog.of(attempt=each.attempt, text=each.text, truncated=each.truncated) for each in rows]
    return json_response(shapes.LogList.of(logs=logs))
