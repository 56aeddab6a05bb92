"""Records: the losses and the checkpoint of a running job, stored so that any host can resume it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import Connection, bindparam, delete, select, update

from gradyard.jobs.curves import Summary
from gradyard.store.dialects import insert_or_ignore, insert_or_replace
from gradyard.store.lifecycle.moves import IS_HELD, Fence, project_of_job, still_running
from gradyard.store.tables import Checkpoint, Job, LossChunk, MetricChunk

CHECKPOINTS_KEPT = 2


@dataclass(frozen=True)
class Progress:
    """What one member did since its last record: losses (steps,) in its dtype, and the state after the last of them.

    metrics: named curves, each of shape (measured steps,), at the steps that `every` divides; stored in float64.
    """

    held: Fence
    start_step: int
    losses: np.ndarray
    summary: Summary
    checkpoint: bytes | None = None
    checkpoint_sha256: str = ""
    fingerprint: str = ""
    metrics: dict[str, np.ndarray] = field(default_factory=dict)
    every: int = 1

    @property
    def job_id(self) -> UUID:
        """The job."""
        return self.held.job_id

    @property
    def steps_done(self) -> int:
        """Steps done in all, with those of this record."""
        return self.start_step + len(self.losses)


@dataclass(frozen=True)
class Recorded:
    """The jobs whose records were stored, and by job how far the database has those whose records do not go on there.

    A job in neither has moved on.
    """

    stored: set[UUID]
    displaced: dict[UUID, int]


def record(connection: Connection, progress: Progress) -> bool:
    """Store the record of one job. Returns False, and stores nothing, where the job has moved on or is displaced."""
    return bool(record_all(connection, [progress]).stored)


def record_all(connection: Connection, progresses: Sequence[Progress]) -> Recorded:
    """Store each member's losses and the checkpoint after them.

    A record goes on where the last one ended. A database that lost its last commits has less, and the record would
    leave a hole: such a job is displaced, and nothing of it is stored.
    Idempotent: a caller that lost the answer to its commit calls again, with the same losses or more from the same step
    on; the later call replaces the chunk.
    """
    recorded_to = still_running(connection, [each.held for each in progresses])
    ours = [each for each in progresses if each.job_id in recorded_to]
    stored = [each for each in ours if _goes_on(connection, each, recorded_to[each.job_id])]
    _store(connection, stored)
    ids = {each.job_id for each in stored}
    return Recorded(ids, {each.job_id: recorded_to[each.job_id] for each in ours if each.job_id not in ids})


def _goes_on(connection: Connection, progress: Progress, recorded_to: int) -> bool:
    """Whether it begins where the last record ended, or was told before: its chunk begins with the same losses."""
    if recorded_to == progress.start_step:
        return True
    if not progress.start_step < recorded_to <= progress.steps_done:
        return False
    of_chunk = {"of_job": progress.job_id, "of_step": progress.start_step}
    losses = connection.execute(_losses_from, of_chunk).scalar()
    return losses is not None and little_endian(progress.losses).startswith(losses)


_losses_from = select(LossChunk.losses).where(
    LossChunk.job_id == bindparam("of_job"), LossChunk.start_step == bindparam("of_step")
)


def _store(connection: Connection, stored: Sequence[Progress]) -> None:
    for statement, with_state in ((_with_state, True), (_without_state, False)):
        _execute(connection, statement, [_figures_of(p) for p in stored if (p.checkpoint is not None) is with_state])
    _execute(connection, _owned_by_project(insert_or_replace(connection, LossChunk)), [
        {"of_job": each.job_id, "job_id": each.job_id, "start_step": each.start_step, "steps": len(each.losses),
         "losses": little_endian(each.losses)} for each in stored if len(each.losses)
    ])  # fmt: skip
    _store_metrics(connection, stored)
    _store_checkpoints(connection, [each for each in stored if each.checkpoint is not None])


def _execute(connection: Connection, statement: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(statement, rows)


def _figures_of(progress: Progress) -> dict[str, Any]:
    figures = progress.summary.columns() | {"steps_done": progress.steps_done}
    fence = {"of_job": progress.job_id, "fenced": progress.held.attempt, "held_by": progress.held.claim_id}
    return fence | {f"new_{name}": value for name, value in figures.items()}


# Built once: building such statements costs more than executing them.
_figures: dict[str, Any] = {name: bindparam(f"new_{name}") for name in ("steps_done", *Summary().columns())}
_running = update(Job).where(Job.id == bindparam("of_job"), *IS_HELD)
_without_state = _running.values(_figures)
# A newer checkpoint is progress: crashes and losses of workers before it no longer count.
_counters_reset = {"crashes": 0, "times_lost": 0, "max_pack": None}
_with_state = _running.values(_figures | {"start_step": bindparam("new_steps_done")} | _counters_reset)


@cache
def _owned_by_project(statement: Any) -> Any:
    """The INSERT, with the project of the job that the row belongs to."""
    return statement.values(project_id=project_of_job)


def little_endian(array: np.ndarray) -> bytes:
    """The bytes of the array in C order, little-endian."""
    return np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def _store_metrics(connection: Connection, progresses: Sequence[Progress]) -> None:
    _execute(connection, _owned_by_project(insert_or_replace(connection, MetricChunk)), [
        {"of_job": each.job_id, "job_id": each.job_id, "name": name, "start_step": each.start_step,
         "every": each.every, "metric_values": little_endian(values.astype(np.float64))}
        for each in progresses if len(each.losses) for name, values in each.metrics.items()
    ])  # fmt: skip


def _store_checkpoints(connection: Connection, progresses: Sequence[Progress]) -> None:
    _execute(connection, _owned_by_project(insert_or_ignore(connection, Checkpoint)), [
        {"of_job": each.job_id, "job_id": each.job_id, "step": each.steps_done, "sha256": each.checkpoint_sha256,
         "fingerprint": each.fingerprint, "blob": each.checkpoint} for each in progresses
    ])  # fmt: skip
    later = [{"of_job": each.job_id} for each in progresses if each.start_step]  # at step 0 it has no older one
    _execute(connection, _older_checkpoints, later)


_newest = select(Checkpoint.step).where(Checkpoint.job_id == bindparam("of_job")).order_by(Checkpoint.step.desc())
_older_checkpoints = delete(Checkpoint).where(
    Checkpoint.job_id == bindparam("of_job"), Checkpoint.step.not_in(_newest.limit(CHECKPOINTS_KEPT).scalar_subquery())
)
