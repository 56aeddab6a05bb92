"""A finished job: submit it again, read its logs."""

from flask import Response

from gradyard import shapes
from gradyard.jobs.errors import IllegalMove
from gradyard.jobs.states import FINISHED
from gradyard.jobs.submission.changed_specs import in_words, parse_changed, spec_now
from gradyard.jobs.submission.requests.verbs import read_changes
from gradyard.store import queries
from service.files.of_caller import files_of_caller
from service.http import parameters
from service.http.access.callers import current_caller
from service.http.ids import find_job
from service.http.json_response import json_response
from service.http.openapi import RETRY_OF_JOB, problems, routes
from service.http.query_parameters.pages import LogPageQuery, refusing_wrong_cursors
from service.http.requests import optional_json_body
from service.http.services import current_services
from service.submission import accept_job

api = routes("retry_and_logs", "/v1/jobs", tag="jobs")


@api.post(
    "/<job_id>/retry", responses={"202": shapes.Job, **problems(400, 404, 409, 410, 413, 415, 422, 429)},
    openapi_extensions=RETRY_OF_JOB,
)  # fmt: skip
def retry_job(path: parameters.JobPath, query: parameters.SubmitQuery) -> Response:
    """Submit the spec of a finished job as a new job, with the values that `set` in the body changes.

    With an Idempotency-Key, the same request sent again returns the job of the first request.
    """
    changes = read_changes(optional_json_body())
    with current_services().database.read() as connection:
        job = find_job(connection, path.job_id)
    if job.state not in FINISHED:
        raise IllegalMove(f"the job is {job.state}; only a finished job can be submitted again")
    parsed = parse_changed(spec_now(job), changes, current_services().settings, files_of_caller)
    asked = f"a retry of {job.id}{in_words(changes)}".encode()
    return accept_job(parsed, asked, retry_of=job.id, precedence=query.precedence)


@api.get("/<job_id>/logs", responses={"200": shapes.LogList, **problems(404, 409, 410, 422)})
def list_logs(path: parameters.JobPath, query: LogPageQuery) -> Response:
    """List the output of the job's runner by attempt, with the traceback of an error; the last 64 KiB of each."""
    with current_services().database.read() as connection, refusing_wrong_cursors():
        job = find_job(connection, path.job_id)
        asked = (current_caller().project_id, job.id)
        rows, cursor = queries.logs_of(connection, *asked, limit=query.limit, cursor=query.cursor)
    logs = [shapes.AttemptLog.of(attempt=each.attempt, text=each.text, truncated=each.truncated) for each in rows]
    return json_response(shapes.LogList.of(logs=logs, next_cursor=cursor))
