"""The tables. Every moment is a float of seconds since 1970 UTC, by the database's own clock.

Names of constraints carry the sentence that they guard.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    Uuid,
    text,
)  # fmt: skip
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

STATES = "'queued', 'running', 'succeeded', 'failed', 'cancelled'"
OVER = "'succeeded', 'failed', 'cancelled'"


class Table(DeclarativeBase):
    """All tables of gradyard."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {
        float: Double,
        int: BigInteger,
        UUID: Uuid(as_uuid=True),
        dict[str, Any]: JSON,
        bytes: LargeBinary,
    }


class Project(Table):
    """Whose jobs they are. One exists from the start: number 1, `default`."""

    __tablename__ = "projects"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)


class Claim(Table):
    """A pack that a worker holds; narrow, since every heartbeat rewrites it."""

    __tablename__ = "claims"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    worker_id: Mapped[UUID] = mapped_column(ForeignKey("workers.id"), index=True)
    queue: Mapped[str] = mapped_column(String(8))
    width: Mapped[int] = mapped_column(Integer)
    lease_until: Mapped[float] = mapped_column(index=True)
    steps_done: Mapped[int] = mapped_column(default=0)
    claimed_at: Mapped[float]


class Job(Table):
    """One job: what was asked, where it stands, and the summary of its result."""

    __tablename__ = "jobs"

    # what was asked
    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(Integer, ForeignKey("projects.id"))
    stage: Mapped[str] = mapped_column(String(64))
    numerics_version: Mapped[int] = mapped_column(Integer)
    name: Mapped[str | None] = mapped_column(String(200))
    tags: Mapped[dict[str, Any]]
    spec: Mapped[dict[str, Any]]
    spec_sha256: Mapped[str] = mapped_column(String(64))
    resolved: Mapped[dict[str, Any]]
    warnings: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    steps: Mapped[int]
    submitted_at: Mapped[float]
    # where it may run, and when its turn is
    queue: Mapped[str] = mapped_column(String(8))
    pool: Mapped[str | None] = mapped_column(String(64))
    gpu_memory_mib: Mapped[int | None] = mapped_column(Integer)
    priority: Mapped[int] = mapped_column(Integer)
    rank: Mapped[float]
    pack_key: Mapped[str] = mapped_column(String(64))
    start_step: Mapped[int] = mapped_column(default=0)
    max_pack: Mapped[int | None] = mapped_column(Integer)
    not_before: Mapped[float | None]
    # where it stands
    state: Mapped[str] = mapped_column(String(16))
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    claim_id: Mapped[UUID | None] = mapped_column(ForeignKey("claims.id"), index=True)
    cancel_requested_at: Mapped[float | None]
    started_at: Mapped[float | None]
    finished_at: Mapped[float | None]
    steps_done: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str | None] = mapped_column(String(16))
    message: Mapped[str | None] = mapped_column(Text)
    failures: Mapped[int] = mapped_column(Integer, default=0)
    crashes: Mapped[int] = mapped_column(Integer, default=0)
    losses: Mapped[int] = mapped_column(Integer, default=0)
    last_error: Mapped[str | None] = mapped_column(String(64))
    # the curve and the work in numbers
    dtype: Mapped[str] = mapped_column(String(8))
    loss_first: Mapped[float | None]
    loss_last: Mapped[float | None]
    loss_min: Mapped[float | None]
    loss_min_step: Mapped[int | None]
    diverged_at: Mapped[int | None]
    setup_seconds: Mapped[float] = mapped_column(default=0.0)
    train_seconds: Mapped[float] = mapped_column(default=0.0)
    records: Mapped[int] = mapped_column(Integer, default=0)
    pack_size: Mapped[int | None] = mapped_column(Integer)

    __table_args__ = (
        CheckConstraint(f"state IN ({STATES})", name="state_is_known"),
        CheckConstraint("queue IN ('cpu', 'gpu', 'any')", name="queue_is_known"),
        CheckConstraint(f"(state IN ({OVER})) = (finished_at IS NOT NULL)", name="over_means_dated"),
        CheckConstraint("(state = 'running') = (claim_id IS NOT NULL)", name="running_means_claimed"),
        CheckConstraint("(state = 'failed') = (reason IS NOT NULL)", name="failed_means_a_reason"),
        Index("ix_jobs_claimable", text("priority DESC"), "rank", "id",
              sqlite_where=text("state = 'queued'"), postgresql_where=text("state = 'queued'")),
        Index("ix_jobs_riders", "pack_key", "start_step", text("priority DESC"), "rank", "id",
              sqlite_where=text("state = 'queued'"), postgresql_where=text("state = 'queued'")),
        Index("ix_jobs_newest", "project_id", "id"),
        Index("ix_jobs_by_state", "project_id", "state", "id"),
        Index("ix_jobs_by_stage", "project_id", "stage", "id"),
    )  # fmt: skip


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


class Checkpoint(Table):
    """The state after `step` steps, as one frame (`workers.wire`); the newest two of a job are kept."""

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
    attempt: Mapped[int] = mapped_column(Integer)
    actor: Mapped[str] = mapped_column(String(200))
    at: Mapped[float]
    detail: Mapped[str | None] = mapped_column(Text)


class IdempotencyKey(Table):
    """A key that a client sent with a submission, and the job that it made."""

    __tablename__ = "idempotency_keys"

    project_id: Mapped[int] = mapped_column(Integer, ForeignKey("projects.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    body_sha256: Mapped[str] = mapped_column(String(64))
    job_id: Mapped[UUID]
    created_at: Mapped[float]


class Worker(Table):
    """A worker process of a slot, present or past; its lease says whether it lives."""

    __tablename__ = "workers"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    host: Mapped[str] = mapped_column(String(255))
    slot: Mapped[str] = mapped_column(String(64))
    queue: Mapped[str] = mapped_column(String(8))
    pool: Mapped[str | None] = mapped_column(String(64))
    pid: Mapped[int] = mapped_column(Integer)
    device_name: Mapped[str] = mapped_column(String(255))
    device_uuid: Mapped[str | None] = mapped_column(String(128))
    device_memory_mib: Mapped[int | None] = mapped_column(Integer)
    versions: Mapped[dict[str, Any]]
    stages: Mapped[dict[str, Any]]
    started_at: Mapped[float]
    heartbeat_at: Mapped[float]
    lease_until: Mapped[float] = mapped_column(index=True)

    __table_args__ = (Index("ix_workers_slot", "host", "slot"),)


class Bell(Table):
    """When a queue's bell was last rung by maintenance, and how often in a row nobody answered."""

    __tablename__ = "bells"

    queue: Mapped[str] = mapped_column(String(8), primary_key=True)
    rung_at: Mapped[float] = mapped_column(default=0.0)
    silent_rings: Mapped[int] = mapped_column(Integer, default=0)
