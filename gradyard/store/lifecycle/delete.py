"""Finished jobs are deleted with all their rows, alone or with their batch. Ids stay: the API answers 410 for them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, delete, func, insert, select

from gradyard.jobs.errors import IllegalMove
from gradyard.jobs.states import FINISHED
from gradyard.store.dialects import insert_or_ignore, now
from gradyard.store.lifecycle.batches import SLICE, lock_batch
from gradyard.store.tables import IS_QUEUED, IS_RUNNING, Batch, DeletedBatch, DeletedJob, Job, JobSummary

SLICE_SECONDS = 0.04
"""How long a transaction deletes jobs of a batch. Its last statement and the commit come on top, about twice that."""


def delete_job(connection: Connection, project_id: int, job_id: UUID) -> bool:
    """Delete a job with its result, losses, checkpoints, events and logs; False where the project has none of that id.

    The last job of a batch takes the batch with it. Raises IllegalMove where the job is queued or running.
    """
    mine = (Job.id == job_id, Job.project_id == project_id)
    batch_id = connection.execute(select(Job.batch_id).where(*mine)).scalar()
    if batch_id is not None:
        lock_batch(connection, batch_id)
    if connection.execute(delete(Job).where(*mine, Job.state.in_(list(FINISHED)))).rowcount:
        connection.execute(insert(DeletedJob).values(id=job_id, project_id=project_id, deleted_at=now()))
        if batch_id is not None and not _next_of(connection, project_id, batch_id, 1):
            _delete_emptied(connection, project_id, batch_id)
        return True
    state = connection.execute(select(Job.state).where(*mine)).scalar()
    if state is not None:
        raise IllegalMove(f"the job is {state}; cancel it or wait for its end before you delete it")
    return False


@dataclass(frozen=True)
class DeletedSlice:
    """How many jobs of a batch a transaction deleted; `more` where the batch is still there."""

    jobs: int
    more: bool


def delete_batch_slice(connection: Connection, project_id: int, batch_id: UUID) -> DeletedSlice:
    """Delete some jobs of a batch, in about SLICE_SECONDS, and with its last job the batch. Call again while `more`.

    Each call is a short transaction; between two of them, and after an interruption, the batch has the other jobs.
    Raises IllegalMove where jobs of the batch are queued or running.
    """
    if not lock_batch(connection, batch_id):
        return DeletedSlice(0, more=False)
    _refuse_unfinished(connection, batch_id)
    deleted, at_once, begin = 0, 1, time.monotonic()
    while ids := _next_of(connection, project_id, batch_id, at_once):
        connection.execute(delete(Job).where(Job.id.in_(ids)))
        connection.execute(insert(DeletedJob).values(deleted_at=now()), [
            {"id": job_id, "project_id": project_id} for job_id in ids
        ])  # fmt: skip
        deleted += len(ids)
        if time.monotonic() - begin > SLICE_SECONDS:
            return DeletedSlice(deleted, more=True)
        at_once = min(2 * at_once, SLICE)  # jobs differ in size: a curve has 4 bytes or 80 MB
    _delete_emptied(connection, project_id, batch_id)
    return DeletedSlice(deleted, more=False)


def _refuse_unfinished(connection: Connection, batch_id: UUID) -> None:
    unfinished = (select(func.count()).where(Job.batch_id == batch_id, each) for each in (IS_QUEUED, IS_RUNNING))
    if count := sum(connection.execute(query).scalar_one() for query in unfinished):
        words = "1 job of the batch is" if count == 1 else f"{count:,} jobs of the batch are"
        raise IllegalMove(f"{words} queued or running; cancel the batch or wait for its end before you delete it")


def _next_of(connection: Connection, project_id: int, batch_id: UUID, most: int) -> Sequence[UUID]:
    of_batch = select(JobSummary.job_id).where(JobSummary.project_id == project_id, JobSummary.batch_id == batch_id)
    return connection.execute(of_batch.order_by(JobSummary.state, JobSummary.job_id).limit(most)).scalars().all()


def _delete_emptied(connection: Connection, project_id: int, batch_id: UUID) -> None:
    connection.execute(delete(Batch).where(Batch.id == batch_id))
    gone = {"id": batch_id, "project_id": project_id, "deleted_at": now()}
    connection.execute(insert_or_ignore(connection, DeletedBatch).values(gone))
