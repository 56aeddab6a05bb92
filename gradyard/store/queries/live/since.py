"""What has come of a job since a step and an event: its moves, losses and metrics."""

from collections import defaultdict
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from sqlalchemy import Connection, Row, bindparam, func, select

from gradyard.jobs.curves import Curve, measured_steps
from gradyard.jobs.states import State
from gradyard.store.tables import JobEvent, LossChunk, MetricChunk

_moves = (
    select(*JobEvent.__table__.columns)
    .where(JobEvent.job_id == bindparam("job"), JobEvent.project_id == bindparam("project"))
    .where(JobEvent.sequence > bindparam("sequence")).order_by(JobEvent.sequence)
)  # fmt: skip


def moves_after(connection: Connection, project_id: int, job_id: UUID, sequence: int) -> list[Row[Any]]:
    """The events of the job after the one of that number, the oldest first."""
    return list(connection.execute(_moves, {"job": job_id, "project": project_id, "sequence": sequence}))


def kept_steps(move: Row[Any], steps: int) -> int:
    """Of so many steps that were known before a move, those that are still valid after it.

    A job that goes back into the queue goes on from its checkpoint. An event of an older version does not say where.
    """
    return min(steps, move.steps_done or 0) if move.to_state == State.QUEUED else steps


class Span(NamedTuple):
    """The losses of the steps from `begin` on, one for each, and by name the metrics that were measured in between."""

    begin: int
    losses: np.ndarray
    metrics: dict[str, Curve]


# The chunk that has the step, and all after it: one may have become longer since its first steps were told.
_of_losses = (LossChunk.job_id == bindparam("job"), LossChunk.project_id == bindparam("project"))
_first = (
    select(func.coalesce(func.max(LossChunk.start_step), 0)).where(*_of_losses)
    .where(LossChunk.start_step <= bindparam("begin")).scalar_subquery()
)  # fmt: skip
_chunks = (
    select(LossChunk.start_step, LossChunk.losses)
    .where(*_of_losses, LossChunk.start_step >= _first, LossChunk.start_step < bindparam("end"))
    .order_by(LossChunk.start_step)
)  # fmt: skip
_metrics = (
    select(MetricChunk.name, MetricChunk.start_step, MetricChunk.every, MetricChunk.metric_values)
    .where(MetricChunk.job_id == bindparam("job"), MetricChunk.project_id == bindparam("project"))
    .where(MetricChunk.start_step >= _first, MetricChunk.start_step <= bindparam("end"))
    .order_by(MetricChunk.name, MetricChunk.start_step)
)  # fmt: skip


def span(connection: Connection, project_id: int, job_id: UUID, dtype: str, steps: range, *, last: bool) -> Span:
    """The losses and metrics of these steps, which are recorded. connection: of `Database.snapshot`.

    last: the steps reach to the last recorded one. Then the metrics of the final weights belong to them as well.
    """
    about = {"job": job_id, "project": project_id, "begin": steps.start, "end": steps.stop}
    kind = np.dtype(dtype).newbyteorder("<")
    chunks = connection.execute(_chunks, about).all()
    first = chunks[0].start_step if chunks else steps.start
    losses = np.frombuffer(b"".join(chunk.losses for chunk in chunks), dtype=kind)
    inside = losses[steps.start - first : steps.stop - first]
    return Span(steps.start, inside, _metrics_in(connection, about, steps, last=last))


def _metrics_in(connection: Connection, about: dict[str, Any], steps: range, *, last: bool) -> dict[str, Curve]:
    parts: defaultdict[str, list[Curve]] = defaultdict(list)
    for chunk in connection.execute(_metrics, about):
        values = np.frombuffer(chunk.metric_values, dtype="<f8")
        curve = Curve(measured_steps(chunk.start_step, chunk.every, len(values)), values)
        is_final = last and chunk.start_step == steps.stop
        part = curve if is_final else curve.between(steps.start, steps.stop)
        if len(part.values):
            parts[chunk.name].append(part)
    return {name: _joined(curves) for name, curves in parts.items()}


def _joined(curves: list[Curve]) -> Curve:
    steps = np.concatenate([np.asarray(curve.steps) for curve in curves])
    return Curve(steps, np.concatenate([curve.values for curve in curves]))
