"""What a job leaves: losses, metrics, artifacts, events, logs and checkpoints."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import Connection, Row, bindparam, select

from gradyard.jobs.errors import NotFound
from gradyard.store.tables import Artifact, AttemptLog, Checkpoint, JobEvent, LossChunk, MetricChunk


def loss_curve(connection: Connection, project_id: int, job_id: UUID, dtype: str) -> np.ndarray:
    """Every stored loss of the job, shape (steps_done,), in the job's dtype, little-endian."""
    chunks = connection.execute(_chunks, {"job": job_id, "project": project_id}).all()
    raw = chunks[0][0] if len(chunks) == 1 else b"".join(losses for (losses,) in chunks)
    return np.frombuffer(raw, dtype=np.dtype(dtype).newbyteorder("<"))


# Built once: building such statements costs more than executing them.
_chunks = (
    select(LossChunk.losses)
    .where(LossChunk.job_id == bindparam("job"), LossChunk.project_id == bindparam("project"))
    .order_by(LossChunk.start_step)
)


def loss_curves(connection: Connection, project_id: int, jobs: Sequence[Row[Any]]) -> dict[UUID, np.ndarray]:
    """Every stored loss of each job, by its id: shape (steps_done,), in the job's dtype, little-endian."""
    query = select(LossChunk.job_id, LossChunk.losses).order_by(LossChunk.job_id, LossChunk.start_step)
    query = query.where(LossChunk.job_id.in_([job.id for job in jobs]), LossChunk.project_id == project_id)
    chunks: dict[UUID, list[bytes]] = {job.id: [] for job in jobs}
    for job_id, losses in connection.execute(query):
        chunks[job_id].append(losses)
    return {
        job.id: np.frombuffer(b"".join(chunks[job.id]), dtype=np.dtype(job.dtype).newbyteorder("<")) for job in jobs
    }


@dataclass(frozen=True)
class MetricCurve:
    """A named curve: `values`, shape (measured steps,), float64, at the steps 0, `every`, 2 * `every`, ..."""

    every: int
    values: np.ndarray

    @property
    def steps(self) -> np.ndarray:
        """The step of each value."""
        return np.arange(len(self.values)) * self.every


def metric_names(connection: Connection, project_id: int, job_id: UUID) -> list[str]:
    """The names of the job's metrics, sorted."""
    query = select(MetricChunk.name).where(MetricChunk.job_id == job_id, MetricChunk.project_id == project_id)
    return list(connection.execute(query.distinct().order_by(MetricChunk.name)).scalars())


def metric_curve(connection: Connection, project_id: int, job_id: UUID, name: str) -> MetricCurve:
    """The metric of that name. Raises NotFound where the job has none."""
    mine = (MetricChunk.job_id == job_id, MetricChunk.project_id == project_id, MetricChunk.name == name)
    columns = select(MetricChunk.every, MetricChunk.metric_values).where(*mine)
    chunks = connection.execute(columns.order_by(MetricChunk.start_step)).all()
    if not chunks:
        raise NotFound(f"the job has no metric {name!r}")
    raw = b"".join(chunk.metric_values for chunk in chunks)
    return MetricCurve(chunks[0].every, np.frombuffer(raw, dtype="<f8"))


def artifacts_of(connection: Connection, project_id: int, job_id: UUID) -> list[Row[Any]]:
    """The job's artifacts without their content: name, dtype, shape."""
    columns = select(Artifact.name, Artifact.dtype, Artifact.shape)
    mine = columns.where(Artifact.job_id == job_id, Artifact.project_id == project_id)
    return list(connection.execute(mine.order_by(Artifact.name)))


def artifact(connection: Connection, project_id: int, job_id: UUID, name: str) -> np.ndarray:
    """The artifact of that name, little-endian. Raises NotFound where the job has none."""
    mine = (Artifact.job_id == job_id, Artifact.project_id == project_id, Artifact.name == name)
    row = connection.execute(select(Artifact.dtype, Artifact.shape, Artifact.content).where(*mine)).first()
    if row is None:
        raise NotFound(f"the job has no artifact {name!r}")
    return np.frombuffer(row.content, dtype=np.dtype(row.dtype).newbyteorder("<")).reshape(row.shape)


def events_of(connection: Connection, project_id: int, job_id: UUID) -> list[Row[Any]]:
    """The events of a job, the oldest first."""
    query = select(*JobEvent.__table__.columns).where(JobEvent.job_id == job_id, JobEvent.project_id == project_id)
    query = query.order_by(JobEvent.sequence)
    return list(connection.execute(query))


def logs_of(connection: Connection, project_id: int, job_id: UUID) -> list[Row[Any]]:
    """The logs of a job, the oldest first: attempt, text, truncated. Attempts without output are left out."""
    columns = select(AttemptLog.attempt, AttemptLog.text, AttemptLog.truncated)
    mine = columns.where(AttemptLog.job_id == job_id, AttemptLog.project_id == project_id)
    return list(connection.execute(mine.order_by(AttemptLog.attempt)))


def checkpoints_of(connection: Connection, job_id: UUID) -> list[Row[Any]]:
    """The checkpoints of a job, the newest first."""
    query = select(*Checkpoint.__table__.columns).where(Checkpoint.job_id == job_id).order_by(Checkpoint.step.desc())
    return list(connection.execute(query))
