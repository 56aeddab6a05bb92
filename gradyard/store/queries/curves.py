"""The curves of jobs: losses and named metrics, whole or a range of steps, and the figures of metrics."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from sqlalchemy import Connection, Row, bindparam, func, select

from gradyard.jobs.curves import Curve, measured_steps
from gradyard.jobs.errors import NotFound
from gradyard.jobs.questions.columns import FIGURES
from gradyard.jobs.states import FINISHED
from gradyard.store.database import driver_rows
from gradyard.store.tables import LossChunk, MetricChunk, MetricSummary
from gradyard.store.these import is_among, told


def loss_curve(connection: Connection, project_id: int, job_id: UUID, dtype: str) -> np.ndarray:
    """Every stored loss of the job, shape (steps_done,), in the job's dtype, little-endian."""
    rows = driver_rows(connection, _chunks, {"job": job_id, "project": project_id})
    return _joined([losses for (losses,) in rows], dtype)


def _joined(chunks: Sequence[bytes], dtype: str) -> np.ndarray:
    return np.frombuffer(chunks[0] if len(chunks) == 1 else b"".join(chunks), _little_endian(dtype))


@cache
def _little_endian(dtype: str) -> np.dtype[Any]:
    return np.dtype(dtype).newbyteorder("<")


# Built once: building such statements costs more than executing them.
_of_job = (LossChunk.job_id == bindparam("job"), LossChunk.project_id == bindparam("project"))
_chunks = select(LossChunk.losses).where(*_of_job).order_by(LossChunk.start_step)
_parts = select(LossChunk.start_step, LossChunk.steps).where(*_of_job).order_by(LossChunk.start_step)
_chunks_between = _chunks.where(LossChunk.start_step.between(bindparam("first"), bindparam("last")))


def loss_range(
    connection: Connection, project_id: int, job_id: UUID, dtype: str, begin: int | None, end: int | None
) -> Curve:
    """The losses of the steps from `begin` up to `end`, without it; from the end of the curve where negative.

    In the job's dtype, little-endian. Chunks outside the range are not read. connection: of `Database.snapshot` where
    the job has not ended, or may be deleted meanwhile: it takes two statements.
    """
    mine = {"job": job_id, "project": project_id}
    if begin is None and end is None:
        losses = loss_curve(connection, project_id, job_id, dtype)
        return Curve(range(len(losses)), losses)
    parts = [_Part(start, start + steps - 1) for start, steps in connection.execute(_parts, mine)]
    inside, first, after = _inside(parts, begin, end)
    if not inside:
        return Curve(range(first, first), np.empty(0, np.dtype(dtype)))
    between = {"first": inside[0].start_step, "last": inside[-1].start_step}
    losses = _joined(connection.execute(_chunks_between, mine | between).scalars().all(), dtype)
    return Curve(range(between["first"], between["first"] + len(losses)), losses).between(first, after)


class _Part(NamedTuple):
    """A chunk without its values: where it begins, and the last step of which it has one."""

    start_step: int
    last_step: int


def _inside(parts: Sequence[_Part], begin: int | None, end: int | None) -> tuple[list[_Part], int, int]:
    """The parts that have steps of the range, its first step and the step after it; both count from 0."""
    length = max((part.last_step for part in parts), default=-1) + 1
    first, after, _ = slice(begin, end).indices(length)
    return [part for part in parts if part.start_step < after and part.last_step >= first], first, after


def loss_curves(connection: Connection, project_id: int, jobs: Sequence[Row[Any]]) -> dict[UUID, np.ndarray]:
    """Every stored loss of each job, by its id: shape (steps_done,), in the job's dtype, little-endian."""
    query = select(LossChunk.job_id, LossChunk.losses).order_by(LossChunk.job_id, LossChunk.start_step)
    query = query.where(LossChunk.job_id.in_([job.id for job in jobs]), LossChunk.project_id == project_id)
    chunks: dict[UUID, list[bytes]] = {job.id: [] for job in jobs}
    for job_id, losses in connection.execute(query):
        chunks[job_id].append(losses)
    return {job.id: _joined(chunks[job.id], job.dtype) for job in jobs}


def metric_names(connection: Connection, project_id: int, job_id: UUID) -> list[str]:
    """The names of the job's metrics, sorted."""
    query = select(MetricChunk.name).where(MetricChunk.job_id == job_id, MetricChunk.project_id == project_id)
    return list(connection.execute(query.distinct().order_by(MetricChunk.name)).scalars())


@dataclass(frozen=True)
class MetricCurve(Curve):
    """A named curve, float64, at the steps 0, `every`, 2 * `every`, ..., and of the final weights at the last step."""

    steps: np.ndarray
    every: int


def metric_curve(
    connection: Connection, project_id: int, job_id: UUID, name: str, begin: int | None = None, end: int | None = None
) -> MetricCurve:
    """The metric of that name at the steps from `begin` up to `end`, without it; from its end where negative.

    Chunks outside the range are not read. connection: of `Database.snapshot`, as of `loss_range`. Raises NotFound where
    the job has no such metric.
    """
    mine = (MetricChunk.job_id == job_id, MetricChunk.project_id == project_id, MetricChunk.name == name)
    query = select(MetricChunk.start_step, MetricChunk.every, func.length(MetricChunk.metric_values).label("size"))
    counted = connection.execute(query.where(*mine).order_by(MetricChunk.start_step)).all()
    if not counted:
        raise NotFound(f"the job {job_id} has no metric {name!r}")
    steps = {row.start_step: measured_steps(row.start_step, row.every, row.size // _FLOAT64_BYTES) for row in counted}
    parts = [_Part(start, int(measured[-1])) for start, measured in steps.items() if len(measured)]
    inside, first, after = _inside(parts, begin, end)
    read = [part.start_step for part in inside]
    between = MetricChunk.start_step.between(min(read, default=0), max(read, default=-1))
    values = select(MetricChunk.metric_values).where(*mine, between).order_by(MetricChunk.start_step)
    found = _joined(connection.execute(values).scalars().all(), "float64")
    curve = Curve(np.concatenate([np.empty(0, np.int64), *map(steps.get, read)]), found).between(first, after)
    return MetricCurve(np.asarray(curve.steps), curve.values, counted[0].every)


_FLOAT64_BYTES = 8


def metric_figures(connection: Connection, project_id: int, jobs: Sequence[Row[Any]]) -> dict[UUID, dict[str, Any]]:
    """The figures of every metric of those of the jobs (rows of `of_project`) that have ended, by job and by name."""
    found: dict[UUID, dict[str, Any]] = {job.id: {} for job in jobs if job.state in FINISHED}
    if having := [job.id for job in jobs if job.has_metrics and job.id in found]:
        asked = {"project": project_id, "jobs": told(connection.dialect, having)}
        for job_id, name, *figures in connection.execute(_figures, asked):
            found[job_id][name] = dict(zip(FIGURES, figures, strict=True))
    return found


_figures = (
    select(MetricSummary.job_id, MetricSummary.name, *(MetricSummary.__table__.columns[each] for each in FIGURES))
    .where(is_among(MetricSummary.job_id, "jobs"), MetricSummary.project_id == bindparam("project"))
    .order_by(MetricSummary.job_id, MetricSummary.name)
)
