"""What a job leaves: its result, losses, metrics, artifacts, checkpoints, events and logs."""

from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gradyard.jobs.events import EventKind
from gradyard.jobs.evidence.rechecks import RecheckState
from gradyard.jobs.states import State
from gradyard.store.tables.base import Table
from gradyard.store.tables.vocabularies import is_known


class Result(Table):
    """The result of a succeeded job. Its primary key is the job's id: there can be no second one."""

    __tablename__ = "results"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(Integer)
    attempt: Mapped[int] = mapped_column(Integer)
    coefficients: Mapped[dict[str, Any]]  # in the units of the data as sent
    scaled_coefficients: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    formula: Mapped[str | None] = mapped_column(Text)
    environment: Mapped[dict[str, Any]]


class Recheck(Table):
    """What the comparison of a recheck with its original has shown. There is none before both have ended."""

    __tablename__ = "rechecks"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(24))
    first_different_step: Mapped[int | None]
    differs_in: Mapped[list[str]] = mapped_column(JSON)
    conditions: Mapped[dict[str, Any]]  # those that were not the same: of the original, of the recheck
    message: Mapped[str] = mapped_column(Text)
    compared_at: Mapped[float]

    __table_args__ = (is_known("state", (state for state in RecheckState if state is not RecheckState.WAITING)),)


class LossChunk(Table):
    """The losses of consecutive steps, raw little-endian bytes of the job's dtype."""

    __tablename__ = "loss_chunks"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(Integer)
    start_step: Mapped[int] = mapped_column(primary_key=True)
    steps: Mapped[int]
    losses: Mapped[bytes]


class MetricChunk(Table):
    """A part of a named curve: its values at the steps from `start_step` on that `every` divides.

    They are raw little-endian float64. That of the final weights is a part of its own: its `start_step` is the number
    of steps, its `every` 1.
    """

    __tablename__ = "metric_chunks"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    start_step: Mapped[int] = mapped_column(primary_key=True)  # that of the loss chunk of the same record, or its end
    every: Mapped[int]
    metric_values: Mapped[bytes]


class Artifact(Table):
    """A named array of a succeeded job's result, raw little-endian bytes in C order."""

    __tablename__ = "artifacts"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    dtype: Mapped[str] = mapped_column(String(8))
    shape: Mapped[list[int]] = mapped_column(JSON)
    content: Mapped[bytes]


class Checkpoint(Table):
    """The state after `step` steps, as one frame (`workers.protocol.checkpoints`); the newest two of a job are kept."""

    __tablename__ = "checkpoints"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(Integer)
    step: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    fingerprint: Mapped[str] = mapped_column(String(64))
    blob: Mapped[bytes]


class JobEvent(Table):
    """One move of a job: its kind, the actor, the time, the attempt and a sentence for people."""

    __tablename__ = "job_events"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(Integer)
    sequence: Mapped[int] = mapped_column(Integer, primary_key=True)
    from_state: Mapped[str | None] = mapped_column(String(16))
    to_state: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str | None] = mapped_column(String(24))  # an EventKind; NULL: an event of an older version
    attempt: Mapped[int] = mapped_column(Integer)
    actor: Mapped[str] = mapped_column(String(200))
    at: Mapped[float]
    detail: Mapped[str | None] = mapped_column(Text)
    steps_done: Mapped[int | None]  # recorded steps after the move; NULL: an event of an older version

    __table_args__ = (is_known("from_state", State), is_known("to_state", State), is_known("kind", EventKind))


class AttemptLog(Table):
    """The end of the runner's output during one attempt, with the traceback of an error."""

    __tablename__ = "attempt_logs"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(Integer)
    attempt: Mapped[int] = mapped_column(Integer, primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    truncated: Mapped[bool]
