"""Batches: jobs that are submitted together, cancelled together, and submitted anew together."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Connection, TableClause, and_, bindparam, insert, or_, select, update

from gradyard.jobs.events import EventKind
from gradyard.jobs.identifiers import new_id
from gradyard.jobs.states import State
from gradyard.jobs.submission.batches import ParsedBatch
from gradyard.jobs.submission.parse import ParsedJob
from gradyard.store.dialects import now
from gradyard.store.lifecycle.fair_queueing import claim_order_of_batch
from gradyard.store.lifecycle.moves import Fence, move, write_events, write_first_events
from gradyard.store.lifecycle.submit import check_queue_capacity, claim_key, columns_of, new_job
from gradyard.store.tables import Batch, Job

SLICE = 500  # rows of one statement
CANCEL_SLICE = 1000  # jobs of one transaction: SQLite's other writers wait for it


@dataclass(frozen=True)
class SubmittedBatch:
    """The batch of a submission; `replayed` where an earlier submission with the same idempotency key made it."""

    batch_id: UUID
    replayed: bool


def submit_batch(
    connection: Connection, parsed: ParsedBatch, *, project_id: int, actor: str, max_queued: int,
    key: str | None = None, body_sha256: str = "",
) -> SubmittedBatch:  # fmt: skip
    """Store a batch with all its jobs, or find the batch that this idempotency key made before.

    Raises IdempotencyKeyReused where the key came with another body, QueueFull where `max_queued` jobs would wait.
    """
    batch_id, ids = new_id(), [new_id() for _ in parsed.jobs]
    if key is not None and (earlier := claim_key(connection, project_id, key, body_sha256, ids[0], batch_id)):
        return SubmittedBatch(earlier.batch_id, replayed=True)
    check_queue_capacity(connection, project_id, max_queued, len(ids))
    orders = claim_order_of_batch(connection, project_id, [job.spec for job in parsed.jobs])
    connection.execute(insert(Batch).values(
        id=batch_id, project_id=project_id, name=parsed.name, size=len(ids), sweep=parsed.sweep, submitted_at=now(),
    ))  # fmt: skip
    mine = {"project_id": project_id, "batch_id": batch_id, "retry_of": None}
    members = list(zip(ids, parsed.jobs, orders, strict=True))
    for begin in range(0, len(ids), SLICE):
        part = members[begin : begin + SLICE]
        connection.execute(new_job, [{"id": job_id} | mine | columns_of(job) | order for job_id, job, order in part])
    write_first_events(connection, batch_id, actor=actor)
    return SubmittedBatch(batch_id, replayed=False)


@dataclass(frozen=True)
class RetriedBatch:
    """How many jobs of a batch were submitted anew; `replayed` where an earlier request with the same key did it."""

    retried: int
    replayed: bool


def retry_batch(
    connection: Connection, batch_id: UUID, parsed: Mapping[UUID, ParsedJob], *, states: Collection[State],
    project_id: int, actor: str, max_queued: int, key: str | None = None,
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
        orders = claim_order_of_batch(connection, project_id, [parsed[job_id].spec for job_id in replaced])
        ranked = dict(zip(replaced, orders, strict=True))
        for begin in range(0, len(old), SLICE):
            part = old[begin : begin + SLICE]
            connection.execute(new_job, [
                {"id": replaced[job_id], "project_id": project_id, "batch_id": batch_id, "retry_of": job_id}
                | columns_of(parsed[job_id]) | ranked[job_id] for job_id in part
            ])  # fmt: skip
            connection.execute(_replace, [{"old": job_id, "new": replaced[job_id]} for job_id in part])
            new, detail = [replaced[job_id] for job_id in part], "a retry, with others of its batch"
            write_events(connection, new, None, State.QUEUED, EventKind.SUBMITTED, actor=actor, detail=detail)
    return RetriedBatch(len(replaced), replayed=False)


def lock_batch(connection: Connection, batch_id: UUID) -> bool:
    """Let others wait that retry or delete jobs of the batch, until the transaction ends. False where it is gone."""
    return connection.execute(select(Batch.id).where(Batch.id == batch_id).with_for_update()).first() is not None


def _replaceable(
    connection: Connection, batch_id: UUID, among: Collection[UUID], states: Collection[State]
) -> list[UUID]:
    """The jobs of the batch in these states that were not replaced, in the order of ids. Only `lock_batch` before."""
    there = select(Job.id).where(Job.batch_id == batch_id, Job.state.in_(list(states)), Job.replaced_by.is_(None))
    return [job_id for job_id in connection.execute(there.order_by(Job.id)).scalars() if job_id in among]


_replace = (
    update(cast(TableClause, Job.__table__)).where(Job.id == bindparam("old")).values(replaced_by=bindparam("new"))
)  # fmt: skip


def cancel_some(connection: Connection, batch_id: UUID, *, actor: str) -> bool:
    """Mark the running jobs of a batch, and cancel some of its queued ones. Returns whether to call again.

    Each call is a short transaction. Between two of them workers claim more of the batch, and a job that is being
    claimed at this moment is neither marked nor cancelled.
    """
    _mark(connection, batch_id)
    _cancel_queued(connection, batch_id, actor)
    unmarked = and_(Job.state == State.RUNNING, Job.cancel_requested_at.is_(None))
    left = select(Job.id).where(Job.batch_id == batch_id, or_(Job.state == State.QUEUED, unmarked))
    return connection.execute(left.limit(1)).first() is not None


def _mark(connection: Connection, batch_id: UUID) -> None:
    unmarked = _running_of(batch_id).where(Job.cancel_requested_at.is_(None))
    marked = update(Job).where(Job.id.in_(unmarked), Job.state == State.RUNNING, Job.cancel_requested_at.is_(None))
    connection.execute(marked.values(cancel_requested_at=now()))


def _running_of(batch_id: UUID) -> Any:
    """Its running jobs, locked in the order in which a record of a pack locks them."""
    running = select(Job.id).where(Job.batch_id == batch_id, Job.state == State.RUNNING)
    return running.order_by(Job.id).with_for_update()


def _cancel_queued(connection: Connection, batch_id: UUID, actor: str) -> None:
    queued = select(Job.id).where(Job.batch_id == batch_id, Job.state == State.QUEUED).limit(CANCEL_SLICE)
    moved = update(Job).where(Job.id.in_(queued.with_for_update(skip_locked=True)), Job.state == State.QUEUED)
    rows = connection.execute(
        moved.values(state=State.CANCELLED, finished_at=now(), claim_id=None).returning(Job.id)
    ).all()
    if rows:
        ids = [row.id for row in rows]
        detail = "with its batch, while queued"
        write_events(connection, ids, State.QUEUED, State.CANCELLED, EventKind.CANCELLED, actor=actor, detail=detail)


def move_silent_batch(connection: Connection, batch_id: UUID, *, actor: str) -> int:
    """Cancel the marked jobs of a batch whose workers did not react in time. Returns how many."""
    marked = _running_of(batch_id).add_columns(Job.attempt, Job.claim_id).where(Job.cancel_requested_at.is_not(None))
    return sum(
        move(connection, row.id, State.CANCELLED, held=Fence(*row), actor=actor, detail="worker silent")
        for row in list(connection.execute(marked))
    )
