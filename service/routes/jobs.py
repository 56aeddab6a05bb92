"""Jobs: submit, list, show, wait for, change, cancel, delete."""

import time
from functools import partial
from typing import Any

from flask import Response
from werkzeug.exceptions import Unauthorized

from gradyard import shapes
from gradyard.jobs.audit import Action
from gradyard.jobs.states import State
from gradyard.jobs.submission.parse import parse_job
from gradyard.jobs.submission.requests.changes import read_job_changes
from gradyard.shapes.live import EVENT_STREAM
from gradyard.store import lifecycle, queries
from gradyard.store.silent import past_silent
from service import audit
from service.batch_cancel import CANCEL_SECONDS
from service.dry_runs import job_checked
from service.files.of_caller import files_of_caller
from service.http import parameters
from service.http.access.callers import current_caller
from service.http.access.projects import check_ownership_of_job
from service.http.ids import find_id, find_job
from service.http.json_response import json_response
from service.http.openapi import PATCH, SUBMISSION, problems, routes
from service.http.query_parameters.live import EventsQuery
from service.http.query_parameters.pages import refusing_wrong_cursors
from service.http.requests import JSON, MERGE_PATCH, json_body
from service.http.services import current_services
from service.job_shown import job_shown
from service.live.opened import stream_of
from service.representation.curves import form_of
from service.representation.jobs import event_answer
from service.representation.live import EVENTS_OR_STREAM, NOTHING_MORE
from service.submission import accept_job

api = routes("jobs", "/v1/jobs")


@api.post(
    "", responses={"200": shapes.JobChecked, "202": shapes.Job, **problems(400, 413, 415, 422, 429)},
    openapi_extensions=SUBMISSION,
)  # fmt: skip
def submit_job(query: parameters.NewQuery) -> Response:
    """Submit a job.

    With an Idempotency-Key, the same body sent again returns the job of the first request. With `dry_run`, it is
    checked and shown with its defaults, and nothing is stored.
    """
    body = json_body()
    parsed = parse_job(body, current_services().settings, files_of_caller)
    if query.dry_run:
        return job_checked(parsed, query.precedence)
    return accept_job(parsed, body, precedence=query.precedence)


@api.get("/<job_id>", responses={"200": shapes.Job, **problems(404, 409, 410, 422)})
def show_job(path: parameters.JobPath, query: parameters.JobQuery) -> Response:
    """Show a job. With `wait`, the answer is held until the job is finished, for at most so many seconds."""
    if not query.wait:
        return _shown(path.job_id)
    project, services = current_caller().project_id, current_services()
    with services.database.read() as connection:
        job_id = find_id(connection, path.job_id, "job")
    if not services.watcher.jobs_end(project, [job_id], 0):
        services.waiting_room.wait_for_end(project, job_id, query.wait)
        if not services.sessions.still_opens(current_caller()):
            raise Unauthorized("the key was revoked, or the session has ended, while the request waited")
    return _shown(str(job_id))


@api.patch(
    "/<job_id>", responses={"200": shapes.Job, **problems(400, 404, 409, 410, 413, 415, 422)},
    openapi_extensions=PATCH,
)  # fmt: skip
def change_job(path: parameters.JobPath, query: parameters.ProjectQuery) -> Response:
    """Change a job's name, tags, pin, or, while it is queued, its priority: a JSON merge patch (RFC 7396).

    What is not named stays as it is, and so does the spec.
    """
    database = current_services().database
    with database.read() as connection:
        job = find_job(connection, path.job_id)
    check_ownership_of_job(job, "change")
    changes = read_job_changes(json_body('{"pinned": true}', types=(JSON, MERGE_PATCH)))
    with database.begin() as connection:
        changed = lifecycle.change_job(connection, current_caller().project_id, job.id, changes)
        if changed:
            audit.note(connection, Action.JOB_CHANGED, job.id, ", ".join(changed))
    return _shown(str(job.id))


@api.get(
    "/<job_id>/events",
    responses={"200": EVENTS_OR_STREAM, "204": NOTHING_MORE, **problems(400, 404, 406, 409, 410, 422)},
)
def list_events(path: parameters.JobPath, query: EventsQuery) -> Response:
    """List the changes of a job's state: from, to, kind, time, actor and detail.

    With Accept: text/event-stream, stream them as they come, with the losses and metrics, until the job has ended. A
    client that connects again with the Last-Event-ID goes on where it was.
    """
    if form_of(JSON, EVENT_STREAM, what="events come") == EVENT_STREAM:
        return stream_of([path.job_id], points=query.points)
    with current_services().database.read() as connection, refusing_wrong_cursors():
        job = find_job(connection, path.job_id)
        asked = (current_caller().project_id, job.id)
        events, cursor = queries.events_of(connection, *asked, limit=query.limit, cursor=query.cursor)
    shown = [event_answer(event) for event in events]
    return json_response(shapes.EventList.of(events=shown, next_cursor=cursor))


@api.post("/<job_id>/cancel", responses={"200": shapes.Job, **problems(404, 409, 410, 422)})
def cancel_job(path: parameters.JobPath, query: parameters.ProjectQuery) -> Response:
    """Cancel a queued or running job, within a second.

    A job that finished on its own in that time keeps its result; the answer shows it.
    """
    services, caller, begin = current_services(), current_caller(), time.monotonic()
    database = services.database
    with database.read() as connection:
        job = find_job(connection, path.job_id)
    check_ownership_of_job(job, "cancel")
    job_id = job.id
    about: dict[str, Any] = {"job_id": job_id, "actor": caller.actor}
    state = past_silent(database, partial(lifecycle.request_cancel, **about), job_id=job_id)
    seconds_left = max(0.0, CANCEL_SECONDS - (time.monotonic() - begin))
    if state is State.RUNNING and not services.watcher.jobs_end(caller.project_id, [job_id], seconds_left):
        past_silent(database, partial(lifecycle.move_silent, **about), job_id=job_id)
    return _shown(str(job_id))


@api.delete("/<job_id>", responses={"204": None, **problems(404, 409, 410, 422)})
def delete_job(path: parameters.JobPath, query: parameters.ProjectQuery) -> Response:
    """Delete a finished job with its result, losses, events and logs. Its id answers 410 from then on."""
    with current_services().database.begin() as connection:
        job = find_job(connection, path.job_id)
        check_ownership_of_job(job, "delete")
        if lifecycle.delete_job(connection, current_caller().project_id, job.id):
            audit.note(connection, Action.JOB_DELETED, job.id)
    return Response(status=204)


def _shown(text: str) -> Response:
    return json_response(job_shown(text))
