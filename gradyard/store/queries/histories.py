"""What a job leaves beside its curves: artifacts, events, logs and checkpoints."""

from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import Connection, Row, select

from gradyard.jobs.errors import NotFound
from gradyard.store.queries.cursors import page_by
from gradyard.store.tables import Artifact, AttemptLog, Checkpoint, JobEvent


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


def events_of(
    connection: Connection, project_id: int, job_id: UUID, *, limit: int | None = None, cursor: str | None = None
) -> tuple[list[Row[Any]], str | None]:
    """A page of the events of a job, the oldest first, and the cursor of the next page. Without a limit all events.

    Raises SpecInvalid where the cursor is not one that this service gave for such a list.
    """
    columns = JobEvent.__table__.columns
    query = select(*columns).where(JobEvent.job_id == job_id, JobEvent.project_id == project_id)
    return page_by(connection, query, [columns["sequence"]], limit=limit, cursor=cursor)


def logs_of(
    connection: Connection, project_id: int, job_id: UUID, *, limit: int | None = None, cursor: str | None = None
) -> tuple[list[Row[Any]], str | None]:
    """A page of the logs of a job, the oldest first, each with attempt, text and truncated; and the next cursor.

    Attempts without output are left out. Without a limit all logs. Raises SpecInvalid where the cursor is not one that
    this service gave for such a list.
    """
    columns = select(AttemptLog.attempt, AttemptLog.text, AttemptLog.truncated)
    mine = columns.where(AttemptLog.job_id == job_id, AttemptLog.project_id == project_id)
    return page_by(connection, mine, [AttemptLog.__table__.columns["attempt"]], limit=limit, cursor=cursor)


def checkpoints_of(connection: Connection, job_id: UUID) -> list[Row[Any]]:
    """The checkpoints of a job, the newest first."""
    query = select(*Checkpoint.__table__.columns).where(Checkpoint.job_id == job_id).order_by(Checkpoint.step.desc())
    return list(connection.execute(query))
