"""Records: the losses and the checkpoint of a running job, stored so that any host can resume it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import Connection, bindparam, delete, literal, null, select
from sqlalchemy.dialects.postgresql import dialect as postgresql
from sqlalchemy.dialects.sqlite import dialect as sqlite

from gradyard.jobs.curves import Summary
from gradyard.jobs.states import State
from gradyard.store.bulk import OnConflict, insert_rows, update_rows
from gradyard.store.lifecycle.moves import Fence, consequences, still_running
from gradyard.store.tables import Checkpoint, Job, LossChunk, MetricChunk

CHECKPOINTS_KEPT = 2


@dataclass(frozen=True)
class Progress:
    """What one member did since its last record: losses (steps,) in its dtype, and the state after the last of them.

    metrics: named curves, each of shape (measured steps,), at the steps that `every` divides; stored in float64.
    final_metrics: what the final weights measure, by name, where this is the last record.
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
    final_metrics: dict[str, float] = field(default_factory=dict)

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
    """The jobs whose records were stored, with their projects; those whose records do not go on where the database has
    them, with the step up to which it has them. A job in neither has moved on.

    ending: of those stored the records whose figures are stored with the move that ends the job.
    """

    stored: dict[UUID, int]
    displaced: dict[UUID, int]
    ending: list[Progress] = field(default_factory=list)


def record(connection: Connection, progress: Progress) -> bool:
    """Store the record of one job. Returns False, and stores nothing, where the job has moved on or is displaced."""
    return bool(record_all(connection, [progress]).stored)


def record_all(connection: Connection, progresses: Sequence[Progress], *, ending: Collection[UUID] = ()) -> Recorded:
    """Store each member's losses and the checkpoint after them.

    ending: jobs that `succeed_all` ends in this transaction, given what this returns. Their rows of `jobs` are changed
    by that alone: two changes of a row cost twice as much.

    A record goes on where the last one ended. A database that lost its last commits has less, and the record would
    leave a hole: such a job is displaced, and nothing of it is stored.
    Idempotent: a caller that lost the answer to its commit calls again, with the same losses or more from the same step
    on; the later call replaces the chunk.
    """
    running = still_running(connection, [each.held for each in progresses])
    ours = [each for each in progresses if each.job_id in running]
    stored = [each for each in ours if _goes_on(connection, each, running[each.job_id].steps_done)]
    projects = {each.job_id: running[each.job_id].project_id for each in stored}
    _store(connection, stored, projects, ending)
    displaced = {each.job_id: running[each.job_id].steps_done for each in ours if each.job_id not in projects}
    return Recorded(projects, displaced, [each for each in stored if each.job_id in ending])


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


def _store(
    connection: Connection, stored: Sequence[Progress], projects: Mapping[UUID, int], ending: Collection[UUID]
) -> None:
    store_figures(connection, [each for each in stored if each.job_id not in ending])
    insert_rows(connection, LossChunk, [
        {"job_id": each.job_id, "project_id": projects[each.job_id], "start_step": each.start_step,
         "steps": len(each.losses), "losses": little_endian(each.losses)} for each in stored if len(each.losses)
    ], OnConflict.REPLACE)  # fmt: skip
    _store_metrics(connection, stored, projects)
    _store_checkpoints(connection, [each for each in stored if each.checkpoint is not None], projects)


def store_figures(connection: Connection, progresses: Sequence[Progress], moving_to: State | None = None) -> None:
    """Store the figures of curves in the rows of running jobs that are locked, and move these to a state if given."""
    for with_state in (True, False):
        rows = [_columns_of(each, with_state) for each in progresses if (each.checkpoint is not None) is with_state]
        if rows:
            only, also = "state = 'running'", _move_in_sql(connection.dialect.name, moving_to)
            update_rows(connection, Job, rows, by=("id", "attempt", "claim_id"), only=only, also=also)


def _columns_of(progress: Progress, with_state: bool) -> dict[str, Any]:
    held = {"id": progress.job_id, "attempt": progress.held.attempt, "claim_id": progress.held.claim_id}
    figures = progress.summary.columns() | {"steps_done": progress.steps_done}
    return held | figures | ({"start_step": progress.steps_done} | _counters_reset if with_state else {})


# A newer checkpoint is progress: crashes and losses of workers before it no longer count.
_counters_reset: dict[str, Any] = {"crashes": 0, "times_lost": 0, "max_pack": None}


@cache
def _move_in_sql(dialect_name: str, to: State | None) -> str:
    """The columns that a move to that state sets, in the words of that database."""
    if to is None:
        return ""
    values = {"state": literal(to.value), **consequences(to)}
    compiled = {name: null() if value is None else value for name, value in values.items()}
    dialect, how = {"postgresql": postgresql, "sqlite": sqlite}[dialect_name](), {"literal_binds": True}
    return ", ".join(
        f"{name} = {value.compile(dialect=dialect, compile_kwargs=how)}" for name, value in compiled.items()
    )


def little_endian(array: np.ndarray) -> bytes:
    """The bytes of the array in C order, little-endian."""
    return np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def _store_metrics(connection: Connection, progresses: Sequence[Progress], projects: Mapping[UUID, int]) -> None:
    insert_rows(connection, MetricChunk, [
        {"job_id": each.job_id, "project_id": projects[each.job_id], "name": name, "start_step": each.start_step,
         "every": each.every, "metric_values": little_endian(values.astype(np.float64))}
        for each in progresses if len(each.losses) for name, values in each.metrics.items()
    ] + [
        {"job_id": each.job_id, "project_id": projects[each.job_id], "name": name, "start_step": each.steps_done,
         "every": 1, "metric_values": little_endian(np.array([value]))}
        for each in progresses for name, value in each.final_metrics.items()
    ], OnConflict.REPLACE)  # fmt: skip


def _store_checkpoints(connection: Connection, progresses: Sequence[Progress], projects: Mapping[UUID, int]) -> None:
    insert_rows(connection, Checkpoint, [
        {"job_id": each.job_id, "project_id": projects[each.job_id], "step": each.steps_done,
         "sha256": each.checkpoint_sha256, "fingerprint": each.fingerprint, "blob": each.checkpoint}
        for each in progresses
    ], OnConflict.IGNORE)  # fmt: skip
    later = [{"of_job": each.job_id} for each in progresses if each.start_step]  # at step 0 it has no older one
    if later:
        connection.execute(_older_checkpoints, later)


_newest = select(Checkpoint.step).where(Checkpoint.job_id == bindparam("of_job")).order_by(Checkpoint.step.desc())
_older_checkpoints = delete(Checkpoint).where(
    Checkpoint.job_id == bindparam("of_job"), Checkpoint.step.not_in(_newest.limit(CHECKPOINTS_KEPT).scalar_subquery())
)
