"""Batches: many jobs in one request, as a list, as lines, or as a sweep."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from uuid import UUID

from flask import Response, request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from gradyard import shapes
from gradyard.jobs.errors import BodyMalformed, SpecInvalid
from gradyard.jobs.submission.batches import parse_batch
from gradyard.store import lifecycle, queries
from service.http import parameters
from service.http.callers import current_caller
from service.http.errors import ParametersInvalid
from service.http.garbage_collector import collector_at_rest
from service.http.json_response import json_response
from service.http.long_poll import CANCEL_SECONDS
from service.http.openapi import BATCH_SUBMISSION, problems, routes
from service.http.parameters import parse_id
from service.http.requests import refuse_encoded
from service.http.services import current_services
from service.representation.batches import batch_answer, batch_summary
from service.representation.jobs import job_answer
from service.submission import accept_batch

JSON, NDJSON = "application/json", "application/x-ndjson"
IN_MEMORY_BYTES, CHUNK_BYTES = 2**20, 2**16
POLL_SECONDS = 0.05

api = routes("batches", "/v1/batches")


@api.post(
    "", responses={"202": shapes.BatchAccepted, **problems(400, 413, 415, 422, 429)},
    openapi_extensions=BATCH_SUBMISSION,
)  # fmt: skip
def submit_batch(query: parameters.NoQuery) -> Response:
    """Submit many jobs: all of them are stored, or none.

    With an Idempotency-Key, the same body sent again returns the batch of the first request.
    """
    if request.mimetype not in (JSON, NDJSON):
        raise UnsupportedMediaType(f"send the batch as Content-Type: {JSON}, or job by job as {NDJSON}")
    refuse_encoded()
    with _body() as body, collector_at_rest():
        digest = hashlib.sha256()
        while chunk := body.read(CHUNK_BYTES):
            digest.update(chunk)
        body.seek(0)
        parsed = parse_batch(body, current_services().settings, lines=request.mimetype == NDJSON)
        return accept_batch(parsed, digest.hexdigest())


@api.get("", responses={"200": shapes.BatchList, **problems(422)})
def list_batches(query: parameters.PageQuery) -> Response:
    """List the batches, the newest first."""
    with current_services().database.read() as connection:
        try:
            batches, cursor = queries.batches_newest_first(
                connection, current_caller().project_id, **query.model_dump()
            )
        except SpecInvalid as error:  # the cursor is not valid
            raise ParametersInvalid(error.problems) from None
        counts = queries.counts_of_batches(connection, [batch.id for batch in batches])
    shown = [batch_summary(batch, counts[batch.id]) for batch in batches]
    return json_response(shapes.BatchList.of(batches=shown, next_cursor=cursor))


@api.get("/<batch_id>", responses={"200": shapes.Batch, **problems(404, 422)})
def show_batch(path: parameters.BatchPath, query: parameters.NoQuery) -> Response:
    """Show a batch: how many of its jobs are in each state."""
    return _shown(parse_id(path.batch_id, "batch"))


@api.get("/<batch_id>/best", responses={"200": shapes.BestJobs, **problems(404, 422)})
def list_best(path: parameters.BatchPath, query: parameters.BestQuery) -> Response:
    """List the succeeded jobs of a batch that have the lowest last loss, the best first."""
    batch_id = parse_id(path.batch_id, "batch")
    with current_services().database.read() as connection:
        queries.batch_by_id(connection, current_caller().project_id, batch_id)
        best = queries.best_of_batch(connection, current_caller().project_id, batch_id, query.limit)
    return json_response(shapes.BestJobs.of(jobs=[job_answer(job, None) for job in best]))


@api.post("/<batch_id>/cancel", responses={"200": shapes.Batch, **problems(404, 422)})
def cancel_batch(path: parameters.BatchPath, query: parameters.NoQuery) -> Response:
    """Cancel the unfinished jobs of a batch, within a second. Finished jobs keep their results."""
    batch_id, database = parse_id(path.batch_id, "batch"), current_services().database
    with database.begin() as connection:
        queries.batch_by_id(connection, current_caller().project_id, batch_id)
        more = lifecycle.cancel_some(connection, batch_id, actor=current_caller().actor)
    give_up_at = time.monotonic() + CANCEL_SECONDS
    while more:
        with database.begin() as connection:
            more = lifecycle.cancel_some(connection, batch_id, actor=current_caller().actor)
            if time.monotonic() > give_up_at:  # in a large batch, the first jobs do not wait for the last
                lifecycle.move_silent_batch(connection, batch_id, actor=current_caller().actor)
    if not _released(batch_id, give_up_at):
        with database.begin() as connection:
            lifecycle.move_silent_batch(connection, batch_id, actor=current_caller().actor)
    return _shown(batch_id)


def _released(batch_id: UUID, give_up_at: float) -> bool:
    """Whether the workers let go of all cancelled jobs of the batch in time."""
    while True:
        with current_services().database.read() as connection:
            if not queries.batch_is_marked(connection, batch_id):
                return True
        if time.monotonic() > give_up_at:
            return False
        time.sleep(POLL_SECONDS)


@contextmanager
def _body() -> Iterator[IO[bytes]]:
    """The request's body as a file, in memory up to IN_MEMORY_BYTES; 413 where it is larger than the setting."""
    most, size = current_services().settings.max_batch_bytes, 0
    request.max_content_length = most + 1
    with SpooledTemporaryFile(IN_MEMORY_BYTES) as file:
        while chunk := request.stream.read(CHUNK_BYTES):
            size += len(chunk)
            if size > most:
                raise RequestEntityTooLarge
            file.write(chunk)
        if not size:
            raise BodyMalformed('there is no body; a small one is {"spec": {"stage": "nn"}, "grid": {"seed": [1, 2]}}')
        file.seek(0)
        yield file


def _shown(batch_id: UUID) -> Response:
    with current_services().database.read() as connection:
        batch: Any = queries.batch_by_id(connection, current_caller().project_id, batch_id)
        counts = queries.counts_of_batches(connection, [batch_id])
    return json_response(batch_answer(batch, counts[batch_id]))
