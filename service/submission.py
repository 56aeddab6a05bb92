"""Submissions, retries of batches among them: store the parsed jobs, ring for workers, answer 202.

The write lock of the database is held only while rows are written. Reasons for waiting and idle slots are read outside.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy import Row
from werkzeug.exceptions import Forbidden

from gradyard import shapes
from gradyard.jobs.api_keys import Scope
from gradyard.jobs.fleet import WORKER_QUEUES, Queue
from gradyard.jobs.states import State
from gradyard.jobs.submission.batches import ParsedBatch
from gradyard.jobs.submission.parse import ParsedJob
from gradyard.store import fleet, lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.retention.quota import check_storage_quota
from service.http.access.callers import Caller, current_caller
from service.http.json_response import json_response
from service.http.proxy import location_of
from service.http.requests import idempotency_key
from service.http.services import current_services
from service.representation.dependencies import depends_on_of
from service.representation.jobs import job_answer
from service.representation.wait_reasons import why_each_waits

log = logging.getLogger(__name__)


def caller_for(precedence: int) -> Caller:
    """The caller of the request. Raises Forbidden where it may not give its work this precedence."""
    caller = current_caller()
    if precedence and not caller.may(Scope.OPERATOR):
        raise Forbidden("only keys with the scope operator may set a precedence; priority orders your own jobs")
    return caller


def accept_job(
    parsed: ParsedJob, body: bytes, *, retry_of: UUID | None = None, recheck_of: Row[Any] | None = None,
    precedence: int = 0,
) -> Response:  # fmt: skip
    """Store a job under the request's Idempotency-Key, ring for it, and answer 202.

    `body` is what the key stands for: the same key with another body is refused (IdempotencyKeyReused).
    """
    services, caller, key = current_services(), caller_for(precedence), idempotency_key()
    with services.database.begin() as connection:
        check_storage_quota(connection, caller.project_id, services.settings.max_stored_bytes, key)
        submitted = lifecycle.submit(
            connection, parsed, project_id=caller.project_id, actor=caller.actor,
            max_queued=services.settings.max_queued_jobs, max_queued_of_key=services.settings.max_key_queued_jobs,
            key=key, body=body, retry_of=retry_of, recheck_of=recheck_of, precedence=precedence,
        )  # fmt: skip
        # Read before the commit: once the job is stored, nothing may fail between here and the answer.
        job = queries.job_by_id(connection, caller.project_id, submitted.job_id)
        # One that was sent before may have ended.
        figures = queries.metric_figures(connection, caller.project_id, [job]) if submitted.replayed else {}
    if job.state == State.QUEUED and job.queue != Queue.BLOCKED:
        services.bells.ring(job.queue, job.id, job.spec)
    waiting, depends_on = _what_it_waits_for(services.database, job)
    replayed = {"Idempotent_Replayed": "true"} if submitted.replayed else {}
    location = location_of(f"/v1/jobs/{job.id}")
    answer = job_answer(job, waiting, metrics=figures.get(job.id), depends_on=depends_on)
    return json_response(answer, 202, Location=location, **replayed)


def _what_it_waits_for(
    database: Database, job: Row[Any]
) -> tuple[shapes.Waiting | None, list[shapes.Dependency] | None]:
    """Why it waits, and what it depends on; None where that cannot be read now."""
    if job.state != State.QUEUED and job.wait_id is None:
        return None, []
    try:
        with database.read() as connection:
            depends_on = [] if job.wait_id is None else depends_on_of(connection, [job]).get(job.id, [])
            return why_each_waits(connection, [job])[0], depends_on
    except Exception as error:  # the job is stored, so its id must reach the client, with or without a reason
        log.warning("job %s is stored; its reason for waiting could not be read: %s", job.id, error)
        return None, None


def accept_batch(parsed: ParsedBatch, digest: str, precedence: int) -> Response:
    """Store a batch under the request's Idempotency-Key, ring for it, and answer 202. `digest`: SHA-256 of the body."""
    services, caller, key = current_services(), caller_for(precedence), idempotency_key()
    with services.database.read() as connection:
        idle = fleet.idle_slots(connection)
    with services.database.begin() as connection:
        check_storage_quota(connection, caller.project_id, services.settings.max_stored_bytes, key)
        submitted = lifecycle.submit_batch(
            connection, parsed, project_id=caller.project_id, actor=caller.actor,
            max_queued=services.settings.max_queued_jobs, max_queued_of_key=services.settings.max_key_queued_jobs,
            key=key, body_sha256=digest, precedence=precedence,
        )  # fmt: skip
    if not submitted.replayed:
        ring_for(parsed.jobs, idle)
    replayed = {"Idempotent_Replayed": "true"} if submitted.replayed else {}
    accepted = shapes.BatchAccepted.of(id=submitted.batch_id, size=len(parsed.jobs))
    return json_response(accepted, 202, Location=location_of(f"/v1/batches/{submitted.batch_id}"), **replayed)


def accept_retry(
    batch: Row[Any], parsed: Mapping[UUID, ParsedJob], states: Collection[State], asked: str, precedence: int
) -> Response:
    """Submit jobs of a batch anew under the request's Idempotency-Key, ring for them, and answer 202; 200 for none.

    `asked` is what the key stands for.
    """
    services, caller, key = current_services(), caller_for(precedence), idempotency_key()
    with services.database.read() as connection:
        idle = fleet.idle_slots(connection)
    with services.database.begin() as connection:
        check_storage_quota(connection, caller.project_id, services.settings.max_stored_bytes, key)
        done = lifecycle.retry_batch(
            connection, batch.id, parsed, states=states, project_id=caller.project_id, actor=caller.actor,
            max_queued=services.settings.max_queued_jobs, max_queued_of_key=services.settings.max_key_queued_jobs,
            key=key, asked=asked, precedence=precedence,
        )  # fmt: skip
    if done.retried and not done.replayed:
        ring_for(list(parsed.values()), idle)
    replayed = {"Idempotent_Replayed": "true"} if done.replayed else {}
    answer = shapes.BatchRetried.of(id=batch.id, retried=done.retried, size=batch.size)
    location = location_of(f"/v1/batches/{batch.id}")
    return json_response(answer, 202 if done.retried else 200, Location=location, **replayed)


def ring_for(jobs: Sequence[ParsedJob], idle: Mapping[str, int]) -> None:
    """Ring for these jobs: once for each slot that is idle, and once at least."""
    devices: set[str] = {job.spec.device for job in jobs}
    for queue in set(WORKER_QUEUES) if "auto" in devices else devices:
        current_services().bells.ring_many(queue, max(1, min(idle.get(queue, 0), len(jobs))))
