"""A running job goes back to an older checkpoint, or to step 0: what it stored since is deleted."""

from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import Connection, delete, select, update

from gradyard.jobs.curves import Summary
from gradyard.store.lifecycle.moves import Fence
from gradyard.store.tables import IS_RUNNING, Checkpoint, Job, LossChunk, MetricChunk


def rewind(connection: Connection, held: Fence, step: int) -> bool:
    """Delete all that a job stored after `step`: its newer checkpoints cannot be used. False where it has moved on."""
    job_id = held.job_id
    fence = (Job.id == job_id, IS_RUNNING, Job.attempt == held.attempt, Job.claim_id == held.claim_id)
    if not connection.execute(update(Job).where(*fence).values(start_step=step, steps_done=step)).rowcount:
        return False
    connection.execute(delete(Checkpoint).where(Checkpoint.job_id == job_id, Checkpoint.step > step))
    for chunks in (LossChunk, MetricChunk):
        connection.execute(delete(chunks).where(chunks.job_id == job_id, chunks.start_step >= step))
    _cut_metrics(connection, job_id, step)
    connection.execute(update(Job).where(*fence).values(_summary_up_to(connection, job_id, step).columns()))
    return True


def _summary_up_to(connection: Connection, job_id: UUID, step: int) -> Summary:
    """The figures of the losses that are left. A chunk that reaches beyond `step` is cut there.

    There is such a chunk where the answer to a record got lost, and it was stored again with more losses.
    """
    job = connection.execute(
        select(Job.dtype, Job.setup_seconds, Job.train_seconds, Job.records).where(Job.id == job_id)
    ).one()
    summary = Summary(setup_seconds=job.setup_seconds, train_seconds=job.train_seconds, records=job.records)
    chunks = select(LossChunk.start_step, LossChunk.losses).where(LossChunk.job_id == job_id)
    dtype = np.dtype(job.dtype).newbyteorder("<")
    for chunk in list(connection.execute(chunks.order_by(LossChunk.start_step))):
        losses = np.frombuffer(chunk.losses, dtype=dtype)
        kept = losses[: step - chunk.start_step]
        if len(kept) < len(losses):
            shorter: dict[str, Any] = {"steps": len(kept), "losses": kept.tobytes()}
            same = (LossChunk.job_id == job_id, LossChunk.start_step == chunk.start_step)
            connection.execute(update(LossChunk).where(*same).values(shorter))
        summary.take(kept, chunk.start_step)
    return summary


def _cut_metrics(connection: Connection, job_id: UUID, step: int) -> None:
    columns = (MetricChunk.name, MetricChunk.start_step, MetricChunk.every, MetricChunk.metric_values)
    for chunk in list(connection.execute(select(*columns).where(MetricChunk.job_id == job_id))):
        measured = -(-step // chunk.every) - -(-chunk.start_step // chunk.every)
        kept = np.frombuffer(chunk.metric_values, dtype="<f8")[:measured].tobytes()
        if len(kept) < len(chunk.metric_values):
            same = (MetricChunk.job_id == job_id, MetricChunk.name == chunk.name,
                    MetricChunk.start_step == chunk.start_step)  # fmt: skip
            connection.execute(update(MetricChunk).where(*same).values(metric_values=kept))
