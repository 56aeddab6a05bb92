"""Batches: many jobs in one request, as a list, as lines, or as a sweep."""

import hashlib
import time
from contextlib import nullcontext

from flask import Response, request
from werkzeug.exceptions import UnsupportedMediaType

from gradyard import shapes
from gradyard.jobs.audit import Action
from gradyard.jobs.errors import SpecInvalid
from gradyard.jobs.submission.changed_specs import in_words
from gradyard.jobs.submission.requests.verbs import read_retry_of_batch
from gradyard.jobs.submission.retries import is_large_retry, parse_again
from gradyard.store import lifecycle, queries
from service import audit
from service.batch_cancel import cancel_whole_batch
from service.dry_runs import batch_checked
from service.files.of_caller import files_of_caller
from service.garbage_collector import collector_at_rest
from service.http import parameters
from service.http.access.callers import current_caller
from service.http.access.projects import check_ownership_of_batch
from service.http.errors import ParametersInvalid
from service.http.ids import find_batch
from service.http.json_response import json_response
from service.http.long_bodies import long_body
from service.http.openapi import BATCH_SUBMISSION, RETRY_OF_BATCH, problems, routes
from service.http.requests import optional_json_body, refuse_encoded
from service.http.services import current_services
from service.large_batches import batch_in_turn, large_batch_alone
from service.live.client_left import client_has_left
from service.representation.batches import batch_answer, batch_summary
from service.submission import accept_batch, accept_retry

JSON, NDJSON = "application/json", "application/x-ndjson"
CHUNK_BYTES = 2**16
SMALLEST = 'a small one is {"spec": {"stage": "nn"}, "grid": {"seed": [1, 2]}}'

api = routes("batches", "/v1/batches")


@api.post(
    "", responses={"200": shapes.BatchChecked, "202": shapes.BatchAccepted, **problems(400, 413, 415, 422, 429)},
    openapi_extensions=BATCH_SUBMISSION,
)  # fmt: skip
def submit_batch(query: parameters.NewQuery) -> Response:
    """Submit many jobs: all of them are stored, or none.

    With an Idempotency-Key, the same body sent again returns the batch of the first request. With `dry_run`, every job
    is checked, and nothing is stored.
    """
    if request.mimetype not in (JSON, NDJSON):
        raise UnsupportedMediaType(f"send the batch as Content-Type: {JSON}, or job by job as {NDJSON}")
    refuse_encoded()
    with long_body(current_services().settings.max_batch_bytes, SMALLEST) as body:
        digest = hashlib.sha256()
        while chunk := body.read(CHUNK_BYTES):
            digest.update(chunk)
        body.seek(0)
        with batch_in_turn(body, lines=request.mimetype == NDJSON) as parsed:
            if query.dry_run:
                return batch_checked(parsed, query.precedence)
            return accept_batch(parsed, digest.hexdigest(), query.precedence)


@api.get("", responses={"200": shapes.BatchList, **problems(422)})
def list_batches(query: parameters.PageQuery) -> Response:
    """List the batches, the newest first."""
    with current_services().database.snapshot() as connection:
        try:
            batches, cursor = queries.batches_newest_first(
                connection, current_caller().project_id, **query.model_dump(exclude={"project"})
            )
        except SpecInvalid as error:  # the cursor is not valid
            raise ParametersInvalid(error.problems) from None
        counts = queries.counts_of_batches(connection, [batch.id for batch in batches])
    shown = [batch_summary(batch, counts[batch.id]) for batch in batches]
    return json_response(shapes.BatchList.of(batches=shown, next_cursor=cursor))


@api.get("/<batch_id>", responses={"200": shapes.Batch, **problems(404, 409, 410, 422)})
def show_batch(path: parameters.BatchPath, query: parameters.ProjectQuery) -> Response:
    """Show a batch: how many of its jobs are in each state, and why jobs failed."""
    return _shown(path.batch_id)


@api.post("/<batch_id>/cancel", responses={"200": shapes.Batch, **problems(404, 409, 410, 422)})
def cancel_batch(path: parameters.BatchPath, query: parameters.ProjectQuery) -> Response:
    """Cancel the unfinished jobs of a batch, within a second. Finished jobs keep their results.

    503 where some of them stay locked: the same request sent again goes on with the others.
    """
    services = current_services()
    with services.database.read() as connection:
        batch = find_batch(connection, path.batch_id)
        check_ownership_of_batch(connection, batch, "cancel")
    batch_id = batch.id
    cancel_whole_batch(services.database, services.watcher, batch_id, actor=current_caller().actor)
    return _shown(str(batch_id))


@api.post(
    "/<batch_id>/retry",
    responses={
        "202": shapes.BatchRetried, "200": shapes.BatchRetried,
        **problems(400, 404, 409, 410, 413, 415, 422, 429),
    },
    openapi_extensions=RETRY_OF_BATCH,
)  # fmt: skip
def retry_batch(path: parameters.BatchPath, query: parameters.SubmitQuery) -> Response:
    """Submit the failed jobs of a batch anew, all or none; each new job replaces the old one in the batch.

    `set` in the body changes values in the specs of all of them.
    With an Idempotency-Key, the same request sent again returns the answer of the first. 200 where nothing failed.
    """
    states, changes = read_retry_of_batch(optional_json_body())
    settings, database = current_services().settings, current_services().database
    with database.read() as connection:
        batch = find_batch(connection, path.batch_id)
        check_ownership_of_batch(connection, batch, "retry it in place")
        count, stored_bytes = queries.size_of_retry(connection, batch.id, states)
    alone = large_batch_alone() if is_large_retry(count, stored_bytes, changes, settings) else nullcontext()
    with alone, collector_at_rest():
        with database.read() as connection:
            members = queries.jobs_to_retry(connection, batch.id, states)
        parsed = parse_again(members, changes, settings, files_of_caller)
        asked = f"a retry of the batch {batch.id}: {' '.join(sorted(states))}{in_words(changes)}"
        return accept_retry(batch, parsed, states, asked, query.precedence)


@api.delete("/<batch_id>", responses={"200": shapes.BatchDeleted, **problems(404, 409, 410, 422)})
def delete_batch(path: parameters.BatchPath, query: parameters.ProjectQuery) -> Response:
    """Delete a batch and all of its jobs, which must be finished. Their ids answer 410 from then on.

    What interrupts it leaves a batch of the other jobs; the same request sent again deletes these.
    """
    database, deleted = current_services().database, 0
    with database.read() as connection:
        batch = find_batch(connection, path.batch_id)
        check_ownership_of_batch(connection, batch, "delete")
    batch_id, more = batch.id, True
    while more and not client_has_left():
        begin = time.monotonic()
        with database.begin() as connection:
            slice_of_it = lifecycle.delete_batch_slice(connection, current_caller().project_id, batch_id)
            if not deleted:  # with its first jobs: what is interrupted here stays written down
                audit.note(connection, Action.BATCH_DELETED, batch_id, f"of {batch.size:,} jobs")
        deleted, more = deleted + slice_of_it.jobs, slice_of_it.more
        if more and database.is_sqlite:  # its other writers look for a free moment only now and then
            time.sleep(time.monotonic() - begin)
    return json_response(shapes.BatchDeleted.of(id=batch_id, deleted=deleted))


def _shown(text: str) -> Response:
    with current_services().database.snapshot() as connection:
        batch = find_batch(connection, text)
        counts = queries.counts_of_batches(connection, [batch.id])
        failures = queries.failures_of_batch(connection, batch.id)
    return json_response(batch_answer(batch, counts[batch.id], failures))
