"""Jobs of a question are submitted anew, as single jobs: all or none, in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Text, bindparam, cast, func, select

from gradyard.jobs.errors import IdempotencyKeyReused
from gradyard.jobs.events import EventKind
from gradyard.jobs.identifiers import new_ids
from gradyard.jobs.states import State
from gradyard.jobs.submission.parse import ParsedJob
from gradyard.store.lifecycle.batches import SLICE
from gradyard.store.lifecycle.dependencies.begin import Waits
from gradyard.store.lifecycle.dependencies.of_requests import follow_all, of_question
from gradyard.store.lifecycle.fair_queueing import claim_order_of_jobs
from gradyard.store.lifecycle.moves import write_events
from gradyard.store.lifecycle.queue_capacity import QueueLimits, check_queue_capacity, recheck_queue_capacity
from gradyard.store.lifecycle.submit import claim_key, columns_of
from gradyard.store.summaries import store_jobs
from gradyard.store.tables import IdempotencyKey, Job


@dataclass(frozen=True)
class RetriedJobs:
    """How many jobs were submitted anew; `replayed` where an earlier request with the same idempotency key did it."""

    jobs: int
    replayed: bool


def retry_jobs(
    connection: Connection, parsed: Mapping[UUID, ParsedJob], *, project_id: int, actor: str, max_queued: int,
    key: str | None = None, asked: str = "", max_queued_of_key: int = 0,
) -> RetriedJobs:  # fmt: skip
    """Submit jobs anew, each by the spec in `parsed`. asked: the SHA-256 of what the key stands for.

    Raises IdempotencyKeyReused where the key came with another request, QueueFull where more than `max_queued` jobs of
    the project would wait, or more than `max_queued_of_key` of the actor (0: any number).
    """
    new = dict(zip(parsed, new_ids(len(parsed)), strict=True))
    first = next(iter(new.values()))
    if key is not None and (earlier := claim_key(connection, project_id, key, asked, first, retried=len(new))):
        return RetriedJobs(earlier.retried, replayed=True)
    limits = QueueLimits(project_id, max_queued, actor, max_queued_of_key)
    check_queue_capacity(connection, limits, len(new))
    waits = Waits.of(of_question(connection, project_id, parsed, new).items())
    in_order = partial(claim_order_of_jobs, connection, project_id)
    orders = iter(waits.orders(list(new.values()), [job.spec for job in parsed.values()], 0, in_order))
    members = list(parsed.items())
    for begin in range(0, len(members), SLICE):
        part = members[begin : begin + SLICE]
        store_jobs(connection, [
            {"id": new[old], "batch_id": None, "retry_of": old, **limits.columns, **columns_of(job), **next(orders),
             **waits.columns(new[old])} for old, job in part
        ], [job.parameters for _, job in part])  # fmt: skip
        ids, detail = [new[old] for old, _ in part], "a retry, with others of a question"
        write_events(connection, ids, None, State.QUEUED, EventKind.SUBMITTED, actor=actor, detail=detail)
    waits.store(connection, project_id)
    follow_all(connection, waits)
    recheck_queue_capacity(connection, limits, len(new))
    return RetriedJobs(len(new), replayed=False)


def retried_before(connection: Connection, project_id: int, key: str | None, asked: str) -> int | None:
    """How many jobs an earlier request with this key submitted anew, were they deleted since; None: there was none.

    Raises IdempotencyKeyReused where the key came with another request.
    """
    earlier = None if key is None else connection.execute(_earlier, {"project": project_id, "of_key": key}).first()
    if earlier is None:
        return None
    if earlier.body_sha256 != asked or earlier.batch_id is not None or earlier.retried is None:
        raise IdempotencyKeyReused(f"the idempotency key {key!r} came with another body before; use a new key")
    return int(earlier.retried)


_earlier = select(IdempotencyKey.body_sha256, IdempotencyKey.batch_id, IdempotencyKey.retried).where(
    IdempotencyKey.project_id == bindparam("project"), IdempotencyKey.key == bindparam("of_key")
)


def stored_sizes(connection: Connection, job_ids: list[UUID]) -> list[Row[Any]]:
    """The id and state of these jobs, and how many bytes their specs have (`spec_bytes`)."""
    asked = select(Job.id, Job.state, func.length(cast(Job.spec, Text)).label("spec_bytes"))
    return list(connection.execute(asked.where(Job.id.in_(job_ids))))


def stored_specs(connection: Connection, job_ids: list[UUID]) -> list[Row[Any]]:
    """The id, spec, name, tags and priority of these jobs."""
    asked = select(Job.id, Job.spec, Job.name, Job.tags, Job.priority)
    return list(connection.execute(asked.where(Job.id.in_(job_ids)).order_by(Job.id)))
