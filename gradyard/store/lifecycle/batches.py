"""Batches: jobs that are submitted together, cancelled together, and submitted anew together."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Connection, TableClause, and_, bindparam, insert, select, update

from gradyard.jobs.events import EventKind
from gradyard.jobs.identifiers import new_id
from gradyard.jobs.states import State
from gradyard.jobs.submission.batches import ParsedBatch
from gradyard.jobs.submission.parse import ParsedJob
from gradyard.store.dialects import now
from gradyard.store.lifecycle.fair_queueing import claim_order_of_batch
from gradyard.store.lifecycle.moves import Fence, delete_checkpoints, move, write_events, write_first_events
from gradyard.store.lifecycle.queue_capacity import check_queue_capacity, recheck_queue_capacity
from gradyard.store.lifecycle.submit import claim_key, columns_of
from gradyard.store.summaries import end_summaries, store_jobs
from gradyard.store.tables import IS_QUEUED, IS_RUNNING, Batch, Job, JobSummary

SLICE = 500  # rows of one statement
CANCEL_SLICE = 1000  # jobs of one transaction: SQLite's other writers wait for it


@dataclass(frozen=True)
class SubmittedBatch:
    """The batch of a submission; `replayed` where an earlier submission with the same idempotency key made it."""

    batch_id: UUID
    replayed: bool


def submit_batch(
    connection: Connection, parsed: ParsedBatch, *, project_id: int, actor: str, max_queued: int,
    key: str | None = None, body_sha256: str = "", precedence: int = 0,
) -> SubmittedBatch:  # fmt: skip
    """Store a batch with all its jobs, or find the batch that this idempotency key made before.

    Raises IdempotencyKeyReused where the key came with another body, QueueFull where `max_queued` jobs would wait.
    """
    batch_id, ids = new_id(), [new_id() for _ in parsed.jobs]
    if key is not None and (earlier := claim_key(connection, project_id, key, body_sha256, ids[0], batch_id)):
        return SubmittedBatch(earlier.batch_id, replayed=True)
    check_queue_capacity(connection, project_id, max_queued, len(ids))
    orders = claim_order_of_batch(connection, project_id, [job.spec for job in parsed.jobs], precedence)
    connection.execute(insert(Batch).values(
        id=batch_id, project_id=project_id, name=parsed.name, size=len(ids), sweep=parsed.sweep, submitted_at=now(),
    ))  # fmt: skip
    mine = {"project_id": project_id, "batch_id": batch_id, "retry_of": None}
    members = list(zip(ids, parsed.jobs, orders, strict=True))
    for begin in range(0, len(ids), SLICE):
        part = members[begin : begin + SLICE]
        store_jobs(connection, [{"id": job_id} | mine | columns_of(job) | order for job_id, job, order in part])
    write_first_events(connection, batch_id, actor=actor)
    recheck_queue_capacity(connection, project_id, max_queued, len(ids))
    return SubmittedBatch(batch_id, replayed=False)


@dataclass(frozen=True)
class RetriedBatch:
    """How many jobs of a batch were submitted anew; `replayed` where an earlier request with the same key did it."""

    retried: int
    replayed: bool


def retry_batch(
    connection: Connection, batch_id: UUID, parsed: Mapping[UUID, ParsedJob], *, states: Collection[State],
    project_id: int, actor: str, max_queued: int, key: str | None = None, precedence: int = 0,
) -> RetriedBatch:  # fmt: skip
    """Submit members of a batch anew, each by the spec in `parsed`, and let the new jobs replace the old ones in it.

    Of those in `parsed` the jobs are left out that are not in `states` (of failed and cancelled), were replaced before,
    or were deleted. Raises IdempotencyKeyReused where the key came with another request, QueueFull where `max_queued`
    jobs would wait.
    """
    old = _replaceable(connection, batch_id, parsed, states) if lock_batch(connection, batch_id) else []
    replaced = {job_id: new_id() for job_id in old}
    digest = sha256(f"a retry of the batch {batch_id}: {' '.join(sorted(states))}".encode()).hexdigest()
    first = next(iter(replaced.values()), batch_id)
    if key is not None and (earlier := claim_key(connection, project_id, key, digest, first, batch_id, len(old))):
        return RetriedBatch(earlier.retried, replayed=True)
    if replaced:
        check_queue_capacity(connection, project_id, max_queued, len(replaced))
        orders = claim_order_of_batch(connection, project_id, [parsed[job_id].spec for job_id in replaced], precedence)
        ranked = dict(zip(replaced, orders, strict=True))
        for begin in range(0, len(old), SLICE):
            part = old[begin : begin + SLICE]
            store_jobs(connection, [
                {"id": replaced[job_id], "project_id": project_id, "batch_id": batch_id, "retry_of": job_id}
                | columns_of(parsed[job_id]) | ranked[job_id] for job_id in part
            ])  # fmt: skip
            connection.execute(_replace, [{"old": job_id, "new": replaced[job_id]} for job_id in part])
            new, detail = [replaced[job_id] for job_id in part], "a retry, with others of its batch"
            write_events(connection, new, None, State.QUEUED, EventKind.SUBMITTED, actor=actor, detail=detail)
        recheck_queue_capacity(connection, project_id, max_queued, len(replaced))
    return RetriedBatch(len(replaced), replayed=False)


def lock_batch(connection: Connection, batch_id: UUID) -> bool:
    """Let others wait that retry or delete jobs of the batch, until the transaction ends. False where it is gone."""
    return connection.execute(select(Batch.id).where(Batch.id == batch_id).with_for_update()).first() is not None


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


@dataclass(frozen=True)
class CancelledSlice:
    """How many queued jobs of a batch a transaction cancelled; `more` where others wait, or run without a mark."""

    jobs: int
    more: bool


def cancel_some(connection: Connection, batch_id: UUID, *, actor: str, wait: bool = False) -> CancelledSlice:
    """Mark the running jobs of a batch, and cancel some of its queued ones. Call again while `more`.

    Each call is a short transaction. Between two of them workers claim more of the batch. A queued job whose row is
    locked is left out, or waited for where `wait` says so: call with it when a call cancelled none and left some.
    """
    _mark(connection, batch_id)
    jobs = _cancel_queued(connection, batch_id, actor, wait)
    left = (IS_QUEUED, and_(IS_RUNNING, Job.cancel_requested_at.is_(None)))  # an index for each
    of_batch = (select(Job.id).where(Job.batch_id == batch_id, each).limit(1) for each in left)
    return CancelledSlice(jobs, more=any(connection.execute(query).first() is not None for query in of_batch))


def _mark(connection: Connection, batch_id: UUID) -> None:
    unmarked = _running_of(batch_id).where(Job.cancel_requested_at.is_(None))
    marked = update(Job).where(Job.id.in_(unmarked), IS_RUNNING, Job.cancel_requested_at.is_(None))
    connection.execute(marked.values(cancel_requested_at=now()))


def _running_of(batch_id: UUID) -> Any:
    """Its running jobs, locked in the order in which a record of a pack locks them."""
    running = select(Job.id).where(Job.batch_id == batch_id, IS_RUNNING)
    return running.order_by(Job.id).with_for_update()


def _cancel_queued(connection: Connection, batch_id: UUID, actor: str, wait: bool) -> int:
    queued = select(Job.id).where(Job.batch_id == batch_id, IS_QUEUED).order_by(Job.id)
    locked = queued.limit(CANCEL_SLICE).with_for_update(skip_locked=not wait)
    # Two statements: of one, PostgreSQL may execute the inner part several times, each time for other rows.
    ids = list(connection.execute(locked).scalars())
    if ids:
        cancelled = update(Job).where(Job.id.in_(ids), IS_QUEUED)
        connection.execute(cancelled.values(state=State.CANCELLED, finished_at=now(), claim_id=None))
        detail = "with its batch, while queued"
        write_events(connection, ids, State.QUEUED, State.CANCELLED, EventKind.CANCELLED, actor=actor, detail=detail)
        delete_checkpoints(connection, ids)
        end_summaries(connection, ids)
    return len(ids)


def move_silent_batch(connection: Connection, batch_id: UUID, *, actor: str) -> int:
    """Cancel the marked jobs of a batch whose workers did not react in time. Returns how many."""
    marked = _running_of(batch_id).add_columns(Job.attempt, Job.claim_id).where(Job.cancel_requested_at.is_not(None))
    return sum(
        move(connection, row.id, State.CANCELLED, held=Fence(*row), actor=actor, detail="worker silent")
        for row in list(connection.execute(marked))
    )
