"""What a job leaves: its result, losses, checkpoints, moves, and what its trainer said."""

from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gradyard.store.tables.base import Table


class Result(Table):
    """What a succeeded job found. Its key is the job's: there can be no second one."""

    __tablename__ = "results"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(Integer, ForeignKey("projects.id"))
    attempt: Mapped[int] = mapped_column(Integer)
    coefficients: Mapped[dict[str, Any]]
    formula: Mapped[str | None] = mapped_column(Text)
    environment: Mapped[dict[str, Any]]


class LossChunk(Table):
    """The losses of consecutive steps, raw little-endian bytes of the job's dtype."""

    __tablename__ = "loss_chunks"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(Integer, ForeignKey("projects.id"))
    start_step: Mapped[int] = mapped_column(primary_key=True)
    steps: Mapped[int]
    losses: Mapped[bytes]


class MetricChunk(Table):
    """A named curve beside the loss: of a record's steps that `every` divides, float64, raw little-endian bytes."""

    __tablename__ = "metric_chunks"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(Integer, ForeignKey("projects.id"))
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    start_step: Mapped[int] = mapped_column(primary_key=True)  # that of the loss chunk beside it
    every: Mapped[int]
    metric_values: Mapped[bytes]


class Artifact(Table):
    """A named array that a succeeded job found, raw little-endian bytes in C order."""

    __tablename__ = "artifacts"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(Integer, ForeignKey("projects.id"))
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    dtype: Mapped[str] = mapped_column(String(8))
    shape: Mapped[list[int]] = mapped_column(JSON)
    content: Mapped[bytes]


class Checkpoint(Table):
    """The state after `step` steps, as one frame (`workers.protocol.checkpoints`); the newest two of a job are kept."""

    __tablename__ = "checkpoints"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(Integer, ForeignKey("projects.id"))
    step: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    fingerprint: Mapped[str] = mapped_column(String(64))
    blob: Mapped[bytes]


class JobEvent(Table):
    """One move of a job: who moved it, when, why, in which attempt."""

    __tablename__ = "job_events"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(Integer, ForeignKey("projects.id"))
    sequence: Mapped[int] = mapped_column(Integer, primary_key=True)
    from_state: Mapped[str | None] = mapped_column(String(16))
    to_state: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str | None] = mapped_column(String(24))  # an EventKind; none: of an older version
    attempt: Mapped[int] = mapped_column(Integer)
    actor: Mapped[str] = mapped_column(String(200))
    at: Mapped[float]
    detail: Mapped[str | None] = mapped_column(Text)


class AttemptLog(Table):
    """The last of what the runner said during one attempt, with the traceback of an error."""

    __tablename__ = "attempt_logs"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(Integer, ForeignKey("projects.id"))
    attempt: Mapped[int] = mapped_column(Integer, primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    truncated: Mapped[bool]
