"""Finished jobs are deleted with all their rows, alone or with their batch. Ids stay: the API answers 410 for them."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, func, insert, not_, or_, select

from gradyard.jobs.errors import IllegalMove
from gradyard.jobs.states import FINISHED
from gradyard.store.dialects import insert_or_ignore, now
from gradyard.store.lifecycle.batches import SLICE, lock_batch
from gradyard.store.lifecycle.dependencies.needed import is_needed, refuse_needed
from gradyard.store.tables import IS_PINNED, IS_QUEUED, IS_RUNNING, Batch, DeletedBatch, DeletedJob, Job, JobSummary

SLICE_SECONDS = 0.04
"""How long a transaction deletes jobs of a batch. Its last statement and the commit come on top, about twice that."""


def delete_job(connection: Connection, project_id: int, job_id: UUID) -> bool:
    """Delete a job with its result, losses, checkpoints, events and logs; False where the project has none of that id.

    The last job of a batch takes the batch with it. Raises IllegalMove where the job is queued, running or pinned, and
    where others wait for it.
    """
    mine = (Job.id == job_id, Job.project_id == project_id)
    batch_id = connection.execute(select(Job.batch_id).where(*mine)).scalar()
    if batch_id is not None:
        lock_batch(connection, batch_id)
    free = Job.state.in_(list(FINISHED)), not_(Job.pinned), not_(is_needed())
    if connection.execute(delete(Job).where(*mine, *free)).rowcount:
        connection.execute(insert(DeletedJob).values(id=job_id, project_id=project_id, deleted_at=now()))
        if batch_id is not None and not _next_of(connection, project_id, batch_id, 1):
            _delete_emptied(connection, project_id, batch_id)
        return True
    there = connection.execute(select(Job.state, Job.pinned).where(*mine)).first()
    if there is not None:
        _refuse(connection, there, [job_id, *([batch_id] if batch_id else [])])
    return False


def _refuse(connection: Connection, job: Any, ids: Collection[UUID]) -> None:
    """Raise IllegalMove: why this job is not deleted. ids: its own and that of its batch."""
    if job.state not in FINISHED:
        raise IllegalMove(f"the job is {job.state}; cancel it or wait for its end before you delete it")
    if job.pinned:
        raise IllegalMove("the job is pinned; unpin it before you delete it")
    refuse_needed(connection, ids, "this job" if len(ids) == 1 else "this job or its batch")
    raise IllegalMove("jobs that depend on it have not heard of its end yet; delete it in a second")


@dataclass(frozen=True)
class DeletedSlice:
    """How many jobs of a batch a transaction deleted; `more` where the batch is still there."""

    jobs: int
    more: bool


def delete_batch_slice(connection: Connection, project_id: int, batch_id: UUID) -> DeletedSlice:
    """Delete some jobs of a batch, in about SLICE_SECONDS, and with its last job the batch. Call again while `more`.

    Each call is a short transaction; between two of them, and after an interruption, the batch has the other jobs.
    Raises IllegalMove where jobs of the batch are queued, running or pinned, and where others wait for it or for one.
    """
    if not lock_batch(connection, batch_id):
        return DeletedSlice(0, more=False)
    _refuse_unfinished(connection, batch_id)
    _refuse_pinned(connection, project_id, batch_id)
    refuse_needed(connection, [batch_id], "this batch")
    deleted, at_once, begin = 0, 1, time.monotonic()
    while ids := _next_of(connection, project_id, batch_id, at_once):
        # Locked first: a submission that names one has committed by then, and the next statement sees its wait.
        connection.execute(select(Job.id).where(Job.id.in_(ids)).order_by(Job.id).with_for_update())
        refuse_needed(connection, ids, "a job of this batch")
        _delete_jobs(connection, project_id, ids)
        deleted += len(ids)
        if time.monotonic() - begin > SLICE_SECONDS:
            return DeletedSlice(deleted, more=True)
        at_once = min(2 * at_once, SLICE)  # jobs differ in size: a curve has 4 bytes or 80 MB
    _delete_emptied(connection, project_id, batch_id)
    return DeletedSlice(deleted, more=False)


def delete_ended(connection: Connection, project_id: int, job_ids: Sequence[UUID]) -> list[UUID]:
    """Delete those of these jobs that have ended, are not pinned and not waited for; and each batch without a job left.

    Returns their ids. It waits for no lock: a job stays that another transaction holds, or whose batch it holds.
    """
    of_jobs = select(Job.batch_id).where(Job.id.in_(job_ids), Job.batch_id.is_not(None))
    lock_batches = select(Batch.id).where(Batch.id.in_(of_jobs)).order_by(Batch.id).with_for_update(skip_locked=True)
    batches = connection.execute(lock_batches).scalars().all()
    mine = (Job.id.in_(job_ids), Job.project_id == project_id, Job.state.in_(list(FINISHED)), not_(Job.pinned))
    free = or_(Job.batch_id.is_(None), Job.batch_id.in_(batches))
    lock_jobs = select(Job.id).where(*mine, not_(is_needed()), free).order_by(Job.id).with_for_update(skip_locked=True)
    ids = list(connection.execute(lock_jobs).scalars())
    _delete_jobs(connection, project_id, ids)
    for batch_id in batches:
        if not _next_of(connection, project_id, batch_id, 1):
            _delete_emptied(connection, project_id, batch_id)
    return ids


def _delete_jobs(connection: Connection, project_id: int, job_ids: Sequence[UUID]) -> None:
    if job_ids:
        connection.execute(delete(Job).where(Job.id.in_(job_ids)))
        rows = [{"id": job_id, "project_id": project_id} for job_id in job_ids]
        connection.execute(insert(DeletedJob).values(deleted_at=now()), rows)


def _refuse_unfinished(connection: Connection, batch_id: UUID) -> None:
    unfinished = (select(func.count()).where(Job.batch_id == batch_id, each) for each in (IS_QUEUED, IS_RUNNING))
    if count := sum(connection.execute(query).scalar_one() for query in unfinished):
        words = "1 job of the batch is" if count == 1 else f"{count:,} jobs of the batch are"
        raise IllegalMove(f"{words} queued or running; cancel the batch or wait for its end before you delete it")


def _refuse_pinned(connection: Connection, project_id: int, batch_id: UUID) -> None:
    pinned = select(func.count()).where(Job.project_id == project_id, IS_PINNED, Job.batch_id == batch_id)
    if count := connection.execute(pinned).scalar_one():
        words = "1 job of it is pinned; unpin it" if count == 1 else f"{count:,} jobs of it are pinned; unpin them"
        raise IllegalMove(f"{words} before you delete it")


def _next_of(connection: Connection, project_id: int, batch_id: UUID, most: int) -> Sequence[UUID]:
    of_batch = select(JobSummary.job_id).where(JobSummary.project_id == project_id, JobSummary.batch_id == batch_id)
    return connection.execute(of_batch.order_by(JobSummary.state, JobSummary.job_id).limit(most)).scalars().all()


def _delete_emptied(connection: Connection, project_id: int, batch_id: UUID) -> None:
    connection.execute(delete(Batch).where(Batch.id == batch_id))
    gone = {"id": batch_id, "project_id": project_id, "deleted_at": now()}
    connection.execute(insert_or_ignore(connection, DeletedBatch).values(gone))
