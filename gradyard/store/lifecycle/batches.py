"""Batches: jobs that are submitted together, cancelled together, and submitted anew together."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from itertools import islice
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Connection, TableClause, bindparam, insert, select, union, update

from gradyard.jobs.events import EventKind
from gradyard.jobs.identifiers import new_ids
from gradyard.jobs.states import State
from gradyard.jobs.submission.batches import ParsedBatch
from gradyard.jobs.submission.parse import ParsedJob
from gradyard.store.dialects import now
from gradyard.store.lifecycle.dependencies.begin import Waits
from gradyard.store.lifecycle.dependencies.needed import follow_again
from gradyard.store.lifecycle.dependencies.of_requests import follow_all, of_members, of_retries, refuse_named_in
from gradyard.store.lifecycle.fair_queueing import claim_order_of_batch
from gradyard.store.lifecycle.moves import (
    write_events,
    write_first_events,
)
from gradyard.store.lifecycle.queue_capacity import QueueLimits, check_queue_capacity, recheck_queue_capacity
from gradyard.store.lifecycle.submit import claim_key, columns_of
from gradyard.store.summaries import store_jobs
from gradyard.store.tables import Batch, Job, JobSummary, Wait, WaitsFor
from gradyard.store.webhooks.messages import tell_batches

SLICE = 500  # rows of one statement


@dataclass(frozen=True)
class SubmittedBatch:
    """The batch of a submission; `replayed` where an earlier submission with the same idempotency key made it."""

    batch_id: UUID
    replayed: bool


def submit_batch(
    connection: Connection, parsed: ParsedBatch, *, project_id: int, actor: str, max_queued: int,
    key: str | None = None, body_sha256: str = "", precedence: int = 0, max_queued_of_key: int = 0,
) -> SubmittedBatch:  # fmt: skip
    """Store a batch with all its jobs, or find the batch that this idempotency key made before.

    Raises IdempotencyKeyReused where the key came with another body, QueueFull where more than `max_queued` jobs of the
    project would wait, or more than `max_queued_of_key` of the actor (0: any number).
    """
    batch_id, *ids = new_ids(1 + len(parsed.jobs))
    if key is not None and (earlier := claim_key(connection, project_id, key, body_sha256, ids[0], batch_id)):
        return SubmittedBatch(earlier.batch_id, replayed=True)
    limits = QueueLimits(project_id, max_queued, actor, max_queued_of_key)
    check_queue_capacity(connection, limits, len(ids))
    waits = Waits.of(zip(ids, of_members(connection, project_id, parsed), strict=True), batch_id)
    in_order = partial(claim_order_of_batch, connection, project_id)
    orders = waits.orders(ids, [job.spec for job in parsed.jobs], precedence, in_order)
    connection.execute(insert(Batch).values(
        id=batch_id, project_id=project_id, name=parsed.name, size=len(ids), sweep=parsed.sweep, submitted_at=now(),
        submitted_by=actor[:200],
    ))  # fmt: skip
    mine = limits.columns | {"batch_id": batch_id, "retry_of": None}
    places = ({"id": job_id, **order, **waits.columns(job_id)} for job_id, order in zip(ids, orders, strict=True))
    rows = _rows(parsed.jobs, mine, places)
    for begin in range(0, len(ids), SLICE):
        members = parsed.jobs[begin : begin + SLICE]
        store_jobs(connection, list(islice(rows, SLICE)), [job.parameters for job in members])
    write_first_events(connection, batch_id, actor=actor)
    waits.store(connection, project_id, batch_id)
    follow_all(connection, waits)
    recheck_queue_capacity(connection, limits, len(ids))
    return SubmittedBatch(batch_id, replayed=False)


def _rows(
    jobs: Iterable[ParsedJob], mine: Mapping[str, Any], places: Iterable[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """The columns of each of these jobs, `mine`, and of `places` its own. Of jobs that are alike most are made once."""
    known: dict[int, dict[str, Any]] = {}
    for job, place in zip(jobs, places, strict=True):
        like = job.like or job
        alike = known.get(id(like))
        if alike is None:
            alike = known[id(like)] = {**columns_of(like), **mine}
        yield {
            **alike, "spec": job.as_json, "spec_sha256": job.sha256, "resolved": job.resolved, "warnings": job.warnings,
            **place,
        }  # fmt: skip


@dataclass(frozen=True)
class RetriedBatch:
    """How many jobs of a batch were submitted anew; `replayed` where an earlier request with the same key did it."""

    retried: int
    replayed: bool


def retry_batch(
    connection: Connection, batch_id: UUID, parsed: Mapping[UUID, ParsedJob], *, states: Collection[State],
    project_id: int, actor: str, max_queued: int, key: str | None = None, asked: str = "", precedence: int = 0,
    max_queued_of_key: int = 0,
) -> RetriedBatch:  # fmt: skip
    """Submit members of a batch anew, each by the spec in `parsed`, and let the new jobs replace the old ones in it.

    Of those in `parsed` the jobs are left out that are not in `states` (of failed and cancelled), were replaced before,
    or were deleted. asked: what the key stands for, by default the batch and the states. Raises
    IdempotencyKeyReused where the key came with another request, QueueFull where more than `max_queued` jobs of the
    project would wait, or more than `max_queued_of_key` of the actor (0: any number).
    """
    old = _replaceable(connection, batch_id, parsed, states) if _lock_with_older(connection, batch_id) else []
    replaced = dict(zip(old, new_ids(len(old)), strict=True))
    digest = sha256((asked or f"a retry of the batch {batch_id}: {' '.join(sorted(states))}").encode()).hexdigest()
    first = next(iter(replaced.values()), batch_id)
    if key is not None and (earlier := claim_key(connection, project_id, key, digest, first, batch_id, len(old))):
        return RetriedBatch(earlier.retried, replayed=True)
    if replaced:
        follow_again(connection, batch_id)
        tell_batches(connection, [batch_id])  # that it had finished, if that was not told yet
        limits = QueueLimits(project_id, max_queued, actor, max_queued_of_key)
        check_queue_capacity(connection, limits, len(replaced))
        refuse_named_in(parsed)
        waits = Waits.of(of_retries(connection, replaced, in_batch=True).items(), batch_id)
        in_order = partial(claim_order_of_batch, connection, project_id)
        orders = iter(waits.orders(list(replaced.values()), [parsed[one].spec for one in old], precedence, in_order))
        for begin in range(0, len(old), SLICE):
            _store_retries(connection, [
                {"id": replaced[job_id], "retry_of": job_id, "batch_id": batch_id, **limits.columns,
                 **columns_of(parsed[job_id]), **next(orders), **waits.columns(replaced[job_id])}
                for job_id in old[begin : begin + SLICE]
            ], parsed, actor)  # fmt: skip
        waits.store(connection, project_id, batch_id)
        follow_all(connection, waits)
        recheck_queue_capacity(connection, limits, len(replaced))
    return RetriedBatch(len(replaced), replayed=False)


def _store_retries(
    connection: Connection, jobs: Sequence[dict[str, Any]], parsed: Mapping[UUID, ParsedJob], actor: str
) -> None:  # fmt: skip
    """Store these jobs, by their columns, and put each in the place of the one that it retries."""
    store_jobs(connection, jobs, [parsed[job["retry_of"]].parameters for job in jobs])
    connection.execute(_replace, [{"old": job["retry_of"], "new": job["id"]} for job in jobs])
    ids, detail = [job["id"] for job in jobs], "a retry, with others of its batch"
    write_events(connection, ids, None, State.QUEUED, EventKind.SUBMITTED, actor=actor, detail=detail)


def lock_batch(connection: Connection, batch_id: UUID) -> bool:
    """Let others wait that retry or delete jobs of the batch, until the transaction ends. False where it is gone."""
    return connection.execute(select(Batch.id).where(Batch.id == batch_id).with_for_update()).first() is not None


def _lock_with_older(connection: Connection, batch_id: UUID) -> bool:
    """Lock the batch, and those that its retries will wait for: all in the order of ids, as submissions lock them."""
    waited_for = select(WaitsFor.on_id).join(Wait, Wait.id == WaitsFor.wait_id).where(Wait.batch_id == batch_id)
    both = union(select(Batch.id).where(Batch.id == batch_id), waited_for)  # by an OR, PostgreSQL would read all
    these = select(Batch.id).where(Batch.id.in_(both))
    return batch_id in connection.execute(these.order_by(Batch.id).with_for_update()).scalars().all()


def _replaceable(
    connection: Connection, batch_id: UUID, among: Collection[UUID], states: Collection[State]
) -> list[UUID]:
    """The jobs of the batch in these states that were not replaced, in the order of ids. Only `lock_batch` before."""
    ended = (JobSummary.batch_id == batch_id, JobSummary.state.in_(list(states)), Job.replaced_by.is_(None))
    there = select(Job.id).join(JobSummary, JobSummary.job_id == Job.id).where(*ended)
    return [job_id for job_id in connection.execute(there.order_by(Job.id)).scalars() if job_id in among]


_replace = (
    update(cast(TableClause, Job.__table__)).where(Job.id == bindparam("old")).values(replaced_by=bindparam("new"))
)  # fmt: skip
