"""Submissions: store the parsed jobs, ring for workers, answer 202.

The write lock of the database is held only while rows are written. Reasons for waiting and idle slots are read outside.
"""

import logging
from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy import Row

from gradyard import shapes
from gradyard.jobs.fleet import WORKER_QUEUES
from gradyard.jobs.states import State
from gradyard.jobs.submission.batches import ParsedBatch
from gradyard.jobs.submission.parse import ParsedJob
from gradyard.store import fleet, lifecycle, queries
from gradyard.store.database import Database
from service.http.callers import current_caller
from service.http.json_response import json_response
from service.http.requests import idempotency_key
from service.http.services import current_services
from service.representation.jobs import job_answer
from service.representation.wait_reasons import Fleet, without_position

log = logging.getLogger(__name__)


def accept_job(parsed: ParsedJob, body: bytes, retry_of: UUID | None = None) -> Response:
    """Store a job under the request's Idempotency-Key, ring for it, and answer 202.

    `body` is what the key stands for: the same key with another body is refused (IdempotencyKeyReused).
    """
    services, caller, key = current_services(), current_caller(), idempotency_key()
    with services.database.begin() as connection:
        submitted = lifecycle.submit(
            connection, parsed, project_id=caller.project_id, actor=caller.actor,
            max_queued=services.settings.max_queued_jobs,
            key=key, body=body, retry_of=retry_of,
        )  # fmt: skip
        # Read before the commit: once the job is stored, nothing may fail between here and the answer.
        job = queries.job_by_id(connection, caller.project_id, submitted.job_id)
    waiting = None
    if job.state == State.QUEUED:
        services.bells.ring(job.queue, job.id, job.spec)
        waiting = _reason_if_it_can_be_read(services.database, job)
    replayed = {"Idempotent_Replayed": "true"} if submitted.replayed else {}
    return json_response(job_answer(job, waiting), 202, Location=f"/v1/jobs/{job.id}", **replayed)


def _reason_if_it_can_be_read(database: Database, job: Row[Any]) -> shapes.Waiting | None:
    try:
        with database.read() as connection:
            return without_position(job, Fleet.seen(connection))
    except Exception as error:  # the job is stored, so its id must reach the client, with or without a reason
        log.warning("job %s is stored; its reason for waiting could not be read: %s", job.id, error)
        return None


def accept_batch(parsed: ParsedBatch, digest: str) -> Response:
    """Store a batch under the request's Idempotency-Key, ring for it, and answer 202. `digest`: SHA-256 of the body."""
    services, caller, key = current_services(), current_caller(), idempotency_key()
    with services.database.read() as connection:
        idle = fleet.idle_slots(connection)
    with services.database.begin() as connection:
        submitted = lifecycle.submit_batch(
            connection, parsed, project_id=caller.project_id, actor=caller.actor,
            max_queued=services.settings.max_queued_jobs,
            key=key, body_sha256=digest,
        )  # fmt: skip
    if not submitted.replayed:
        for queue in _queues(parsed):
            services.bells.ring_many(queue, max(1, min(idle.get(queue, 0), len(parsed.jobs))))
    replayed = {"Idempotent_Replayed": "true"} if submitted.replayed else {}
    accepted = shapes.BatchAccepted.of(id=submitted.batch_id, size=len(parsed.jobs))
    return json_response(accepted, 202, Location=f"/v1/batches/{submitted.batch_id}", **replayed)


def _queues(parsed: ParsedBatch) -> set[str]:
    devices: set[str] = {job.spec.device for job in parsed.jobs}
    return set(WORKER_QUEUES) if "auto" in devices else devices
