"""Jobs: submit, list, show, wait for, cancel, delete."""

import time
from functools import partial
from typing import Any

from flask import Response
from werkzeug.exceptions import Unauthorized

from gradyard import shapes
from gradyard.jobs.errors import SpecInvalid
from gradyard.jobs.states import State
from gradyard.jobs.submission.parse import parse_job
from gradyard.store import lifecycle, queries
from gradyard.store.silent import past_silent
from service.http import parameters
from service.http.callers import current_caller
from service.http.errors import ParametersInvalid
from service.http.ids import find_batch, find_id, find_job
from service.http.json_response import json_response
from service.http.long_poll import CANCEL_SECONDS, finishes_within
from service.http.openapi import SUBMISSION, problems, routes
from service.http.requests import json_body
from service.http.services import current_services
from service.representation.jobs import event_answer, job_answer
from service.representation.wait_reasons import why_each_waits, why_it_waits
from service.submission import accept_job

api = routes("jobs", "/v1/jobs")


@api.post(
    "", responses={"202": shapes.Job, **problems(400, 413, 415, 422, 429)}, openapi_extensions=SUBMISSION,
)  # fmt: skip
def submit_job(query: parameters.SubmitQuery) -> Response:
    """Submit a job.

    With an Idempotency-Key, the same body sent again returns the job of the first request.
    """
    body = json_body()
    return accept_job(parse_job(body, current_services().settings), body, precedence=query.precedence)


@api.get("", responses={"200": shapes.JobList, **problems(404, 409, 410, 422)})
def list_jobs(query: parameters.ListQuery) -> Response:
    """List jobs, the newest first."""
    with current_services().database.read() as connection:
        chosen = query.model_dump() | {"batch": query.batch and find_id(connection, query.batch, "batch")}
        try:
            page = queries.jobs_newest_first(connection, current_caller().project_id, **chosen)
        except SpecInvalid as error:  # the cursor is not valid
            raise ParametersInvalid(error.problems) from None
        if query.batch and not page.jobs:
            find_batch(connection, query.batch)  # an empty page must not hide that there is no such batch
        waiting = why_each_waits(connection, page.jobs)
    jobs = [job_answer(job, why) for job, why in zip(page.jobs, waiting, strict=True)]
    return json_response(shapes.JobList.of(jobs=jobs, next_cursor=page.next_cursor))


@api.get("/<job_id>", responses={"200": shapes.Job, **problems(404, 409, 410, 422)})
def show_job(path: parameters.JobPath, query: parameters.JobQuery) -> Response:
    """Show a job. With `wait`, the answer is held until the job is finished, for at most so many seconds."""
    if not query.wait:
        return _shown(path.job_id)
    project, services = current_caller().project_id, current_services()
    with services.database.read() as connection:
        job_id = find_id(connection, path.job_id, "job")
    if not finishes_within(services.database, project, job_id, 0):
        services.waiting_room.wait_for_end(project, job_id, query.wait)
        if not services.keys.still_opens(current_caller()):
            raise Unauthorized("the key was revoked while the request waited")
    return _shown(str(job_id))


@api.get("/<job_id>/events", responses={"200": shapes.EventList, **problems(404, 409, 410, 422)})
def list_events(path: parameters.JobPath, query: parameters.NoQuery) -> Response:
    """List the changes of a job's state: from, to, kind, time, actor and detail."""
    with current_services().database.read() as connection:
        job = find_job(connection, path.job_id)
        events = queries.events_of(connection, current_caller().project_id, job.id)
    return json_response(shapes.EventList.of(events=[event_answer(event) for event in events]))


@api.post("/<job_id>/cancel", responses={"200": shapes.Job, **problems(404, 409, 410, 422)})
def cancel_job(path: parameters.JobPath, query: parameters.NoQuery) -> Response:
    """Cancel a queued or running job, within a second.

    A job that finished on its own in that time keeps its result; the answer shows it.
    """
    database, caller, begin = current_services().database, current_caller(), time.monotonic()
    with database.read() as connection:
        job_id = find_job(connection, path.job_id).id
    about: dict[str, Any] = {"job_id": job_id, "actor": caller.actor}
    state = past_silent(database, partial(lifecycle.request_cancel, **about), job_id=job_id)
    seconds_left = max(0.0, CANCEL_SECONDS - (time.monotonic() - begin))
    if state is State.RUNNING and not finishes_within(database, caller.project_id, job_id, seconds_left):
        past_silent(database, partial(lifecycle.move_silent, **about), job_id=job_id)
    return _shown(str(job_id))


@api.delete("/<job_id>", responses={"204": None, **problems(404, 409, 410, 422)})
def delete_job(path: parameters.JobPath, query: parameters.NoQuery) -> Response:
    """Delete a finished job with its result, losses, events and logs. Its id answers 410 from then on."""
    with current_services().database.begin() as connection:
        job_id = find_job(connection, path.job_id).id
        lifecycle.delete_job(connection, current_caller().project_id, job_id)
    return Response(status=204)


def _shown(text: str) -> Response:
    with current_services().database.read() as connection:
        job = find_job(connection, text)
        waiting = why_it_waits(connection, job, current_caller().project_id)
    return json_response(job_answer(job, waiting))
