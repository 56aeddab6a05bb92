"""What a job left: its losses, events, logs and checkpoints."""

from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import Connection, Row, select

from jobs.tables import AttemptLog, Checkpoint, JobEvent, LossChunk


def loss_curve(connection: Connection, project_id: int, job_id: UUID, dtype: str) -> np.ndarray:
    """Every stored loss of the job, shape (steps_done,), in its own dtype, little-endian."""
    query = select(LossChunk.losses).where(LossChunk.job_id == job_id, LossChunk.project_id == project_id)
    query = query.order_by(LossChunk.start_step)
    raw = b"".join(connection.execute(query).scalars())
    return np.frombuffer(raw, dtype=np.dtype(dtype).newbyteorder("<"))


def events_of(connection: Connection, project_id: int, job_id: UUID) -> list[Row[Any]]:
    """The moves of a job, the oldest first."""
    query = select(*JobEvent.__table__.columns).where(JobEvent.job_id == job_id, JobEvent.project_id == project_id)
    query = query.order_by(JobEvent.sequence)
    return list(connection.execute(query))


def logs_of(connection: Connection, project_id: int, job_id: UUID) -> list[Row[Any]]:
    """What was said in each attempt that said something: attempt, text, truncated."""
    columns = select(AttemptLog.attempt, AttemptLog.text, AttemptLog.truncated)
    mine = columns.where(AttemptLog.job_id == job_id, AttemptLog.project_id == project_id)
    return list(connection.execute(mine.order_by(AttemptLog.attempt)))


def checkpoints_of(connection: Connection, job_id: UUID) -> list[Row[Any]]:
    """The checkpoints of a job, the newest first."""
    query = select(*Checkpoint.__table__.columns).where(Checkpoint.job_id == job_id).order_by(Checkpoint.step.desc())
    return list(connection.execute(query))
