"""What a running job has done so far, stored so that any host can go on from there."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import Connection, bindparam, delete, select, update

from jobs.curves import Summary
from jobs.database import insert_or_ignore, insert_or_replace
from jobs.lifecycle.moves import project_of_job
from jobs.states import State
from jobs.tables import Checkpoint, Job, LossChunk, MetricChunk

CHECKPOINTS_KEPT = 2


@dataclass(frozen=True)
class Progress:
    """What one member did since its last record: losses (steps,) of its dtype, and the state after the last of them.

    `metrics` are named curves, each (measured steps,), of the steps that `every` divides.
    """

    job_id: UUID
    attempt: int
    start_step: int
    losses: np.ndarray
    summary: Summary
    checkpoint: bytes | None = None
    checkpoint_sha256: str = ""
    fingerprint: str = ""
    metrics: dict[str, np.ndarray] = field(default_factory=dict)
    every: int = 1

    @property
    def steps_done(self) -> int:
        """Steps done in all, this record's included."""
        return self.start_step + len(self.losses)


def record(connection: Connection, progress: Progress) -> bool:
    """Store a chunk of losses and the checkpoint after it; False where the job has moved on, and nothing is stored.

    Told twice (the answer to the first commit got lost), it stores once; told again with more losses from the same
    step on, it stores those.
    """
    figures = progress.summary.columns() | {"steps_done": progress.steps_done}
    fence = {"of_job": progress.job_id, "of_attempt": progress.attempt}
    stored = {f"new_{name}": value for name, value in figures.items()}
    statement = _with_state if progress.checkpoint is not None else _without_state
    if not connection.execute(statement, fence | stored).rowcount:
        return False
    if len(progress.losses):
        connection.execute(_owned_by_project(insert_or_replace(connection, LossChunk)), {
            "of_job": progress.job_id, "job_id": progress.job_id,
            "start_step": progress.start_step, "steps": len(progress.losses),
            "losses": little_endian(progress.losses),
        })  # fmt: skip
        _keep_metrics(connection, progress)
    if progress.checkpoint is not None:
        _keep_checkpoint(connection, progress)
    return True


# Built once: building such statements costs more than executing them.
_figures: dict[str, Any] = {name: bindparam(f"new_{name}") for name in ("steps_done", *Summary().columns())}
_running = update(Job).where(
    Job.id == bindparam("of_job"), Job.state == State.RUNNING, Job.attempt == bindparam("of_attempt")
)
_without_state = _running.values(_figures)
# A newer checkpoint is progress: whatever went wrong before it is forgiven.
_forgiven = {"crashes": 0, "losses": 0, "max_pack": None}
_with_state = _running.values(_figures | {"start_step": bindparam("new_steps_done")} | _forgiven)


@cache
def _owned_by_project(statement: Any) -> Any:
    """The INSERT of a row that belongs to a job, with the job's project."""
    return statement.values(project_id=project_of_job)


def little_endian(array: np.ndarray) -> bytes:
    """Its numbers in C order."""
    return np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def _keep_metrics(connection: Connection, progress: Progress) -> None:
    for name, values in progress.metrics.items():
        connection.execute(_owned_by_project(insert_or_replace(connection, MetricChunk)), {
            "of_job": progress.job_id, "job_id": progress.job_id, "name": name, "start_step": progress.start_step,
            "every": progress.every, "dtype": values.dtype.name, "metric_values": little_endian(values),
        })  # fmt: skip


def _keep_checkpoint(connection: Connection, progress: Progress) -> None:
    connection.execute(_owned_by_project(insert_or_ignore(connection, Checkpoint)), {
        "of_job": progress.job_id, "job_id": progress.job_id, "step": progress.steps_done,
        "sha256": progress.checkpoint_sha256, "fingerprint": progress.fingerprint, "blob": progress.checkpoint,
    })  # fmt: skip
    if progress.start_step == 0:
        return  # it is the first
    newest = select(Checkpoint.step).where(Checkpoint.job_id == progress.job_id)
    kept = newest.order_by(Checkpoint.step.desc()).limit(CHECKPOINTS_KEPT).scalar_subquery()
    connection.execute(delete(Checkpoint).where(Checkpoint.job_id == progress.job_id, Checkpoint.step.not_in(kept)))


def rewind(connection: Connection, job_id: UUID, attempt: int, step: int) -> bool:
    """Take back all that a job stored from `step` on, as its checkpoint there is no good; False where it moved on."""
    fence = (Job.id == job_id, Job.state == State.RUNNING, Job.attempt == attempt)
    if not connection.execute(update(Job).where(*fence).values(start_step=step, steps_done=step)).rowcount:
        return False
    for chunks in (LossChunk, MetricChunk):
        connection.execute(delete(chunks).where(chunks.job_id == job_id, chunks.start_step >= step))
    connection.execute(delete(Checkpoint).where(Checkpoint.job_id == job_id, Checkpoint.step > step))
    row = connection.execute(
        select(Job.dtype, Job.setup_seconds, Job.train_seconds, Job.records).where(Job.id == job_id)
    ).one()
    summary = Summary(setup_seconds=row.setup_seconds, train_seconds=row.train_seconds, records=row.records)
    kept = (
        select(LossChunk.start_step, LossChunk.losses).where(LossChunk.job_id == job_id).order_by(LossChunk.start_step)
    )
    for chunk in connection.execute(kept):
        summary.take(np.frombuffer(chunk.losses, dtype=np.dtype(row.dtype).newbyteorder("<")), chunk.start_step)
    connection.execute(update(Job).where(*fence).values(summary.columns()))
    return True
