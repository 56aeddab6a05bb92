"""All jobs of a question are cancelled, retried, deleted or tagged."""

from hashlib import sha256

from flask import Response

from gradyard import shapes
from gradyard.jobs.submission.requests.changes import ActionRequest, read_action
from gradyard.store.lifecycle.actions.retry import retried_before
from service.actions.asked import AskedAction
from service.actions.cancel import cancel_all
from service.actions.retry import retry_all
from service.actions.slices import delete_all, tag_all
from service.http import parameters
from service.http.access.callers import current_caller
from service.http.json_response import json_response
from service.http.openapi import ACTION, problems, routes
from service.http.requests import idempotency_key, json_body
from service.http.services import current_services

api = routes("actions", "/v1/jobs", tag="questions")

SMALLEST = '{"where": "state == \\"queued\\"", "action": "cancel"}'


@api.post(
    "/actions", responses={"200": shapes.ActionDone, **problems(400, 404, 409, 413, 415, 422, 429)},
    openapi_extensions=ACTION,
)  # fmt: skip
def act_on_jobs(query: parameters.ProjectQuery) -> Response:
    """Cancel, retry, delete or tag all jobs that satisfy a question; 409 where there are not as many as expected.

    It says to how many it was done, and how many were left alone, by reason. A cancel, a deletion and new tags are done
    some jobs at a time: what interrupts one leaves the other jobs as they were, and the same request, without
    `expected_count`, goes on. A retry is done to all or none; its Idempotency-Key makes it safe to send again.
    """
    body, key = json_body(SMALLEST), idempotency_key()
    request = read_action(body)
    if request.action == "retry":
        return _retry(request, key, sha256(body).hexdigest())
    action = AskedAction.begun(current_services(), current_caller(), request)
    if action.count:
        {"cancel": cancel_all, "delete": delete_all, "tag": tag_all}[request.action](action)
    return json_response(_answer(action))


def _retry(request: ActionRequest, key: str | None, digest: str) -> Response:
    services, caller = current_services(), current_caller()
    with services.database.read() as connection:
        retried = retried_before(connection, caller.project_id, key, digest)
    if retried is not None:
        done = shapes.ActionDone.of(action="retry", count=retried, done=retried, skipped={})
        return json_response(done, Idempotent_Replayed="true")
    action = AskedAction.begun(services, caller, request)
    replayed = retry_all(action, key, digest) if action.count else False
    return json_response(_answer(action), 200, **({"Idempotent_Replayed": "true"} if replayed else {}))


def _answer(action: AskedAction) -> shapes.ActionDone:
    done, skipped = action.tally.done, dict(action.tally.skipped)
    return shapes.ActionDone.of(action=action.request.action, count=action.count, done=done, skipped=skipped)
