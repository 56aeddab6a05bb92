"""Projects, their jobs, idempotency keys, and the ids of deleted jobs."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    and_,
    false,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from gradyard.jobs.fleet import Queue
from gradyard.jobs.states import FINISHED, Reason, State
from gradyard.store.tables.base import Table
from gradyard.store.tables.vocabularies import DTYPES, ENGINES, in_sql, is_known

_QUEUED = text("state = 'queued'")
_RUNNING, _CLAIMED = text("state = 'running'"), text("claim_id IS NOT NULL")
_AGAIN = text("state = 'queued' AND attempt > 0")
_SINGLE = text("batch_id IS NULL AND state IN ('queued', 'running')")
_FINISHED = in_sql(state for state in State if state in FINISHED)
_FAILED_AND_COUNTED = text("batch_id IS NOT NULL AND state = 'failed' AND replaced_by IS NULL")
_REPLACED, _A_RECHECK = text("replaced_by IS NOT NULL"), text("recheck_of IS NOT NULL")
_A_RETRY = text("retry_of IS NOT NULL")
_POOL = text("coalesce(pool, '')")
_BLOCKED = text("state = 'queued' AND queue = 'blocked'")
_OVER = f"state IN ({_FINISHED})"
_QUEUED_AND_COUNTED = text("state = 'queued' AND counted_for IS NOT NULL")
_QUEUED_IN_A_BATCH = text("state = 'queued' AND batch_id IS NOT NULL")


class Project(Table):
    """A project owns jobs. Number 1, `default`, exists from the start."""

    __tablename__ = "projects"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)


class Job(Table):
    """One job: its spec, its state, and the figures of its curve so far. Workers move it; `summaries` is for lists."""

    __tablename__ = "jobs"

    # the spec
    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(Integer, ForeignKey("projects.id"))
    stage: Mapped[str] = mapped_column(String(64))
    numerics_version: Mapped[int] = mapped_column(Integer)
    name: Mapped[str | None] = mapped_column(String(200))
    tags: Mapped[dict[str, Any]]
    batch_id: Mapped[UUID | None]  # no foreign key: SQLite cannot add one to a table that is there
    retry_of: Mapped[UUID | None]  # no foreign key: that job may be deleted
    recheck_of: Mapped[UUID | None]  # the job that it trains once more, to compare bits
    replaced_by: Mapped[UUID | None]  # the job that was submitted in its place by a retry of the batch
    spec: Mapped[dict[str, Any]]
    spec_sha256: Mapped[str] = mapped_column(String(64))
    resolved: Mapped[dict[str, Any]]
    warnings: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    steps: Mapped[int | None]  # NULL: its stage ends when it is done
    submitted_at: Mapped[float]
    counted_for: Mapped[str | None] = mapped_column(String(200))  # whose limit of queued jobs; NULL: it had none
    pinned: Mapped[bool] = mapped_column(server_default=false())  # kept: retention and a deletion leave it
    # what it waits for, and whether others wait for it (tables/dependencies.py)
    wait_id: Mapped[UUID | None]
    followed: Mapped[bool] = mapped_column(server_default=false())  # jobs wait for it that must hear of its end
    # where it may run, and its place in the claim order
    queue: Mapped[str] = mapped_column(String(8))
    any_device: Mapped[bool | None]  # whether its spec says `device: auto`; NULL: a job of an older version
    pool: Mapped[str | None] = mapped_column(String(64))
    gpu_memory_mib: Mapped[int | None] = mapped_column(Integer)
    precedence: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))  # before all ranks
    priority: Mapped[int] = mapped_column(Integer)  # among the jobs of its project (fleet/priorities.py)
    rank: Mapped[float]  # virtual start, in seconds (lifecycle/fair_queueing.py)
    cost_seconds: Mapped[float | None]  # about how long it would train alone; NULL: a job of an older version
    share_seconds: Mapped[float | None]  # of its flow: how far behind it the next one starts
    pack_key: Mapped[str] = mapped_column(String(64))
    start_step: Mapped[int] = mapped_column(default=0)
    max_pack: Mapped[int | None] = mapped_column(Integer)
    engine: Mapped[str | None] = mapped_column(String(16))  # chosen at the first claim, kept in later attempts
    not_before: Mapped[float | None]
    # its state
    state: Mapped[str] = mapped_column(String(16))
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    claim_id: Mapped[UUID | None] = mapped_column(ForeignKey("claims.id"))
    cancel_requested_at: Mapped[float | None]
    started_at: Mapped[float | None]
    finished_at: Mapped[float | None]
    steps_done: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str | None] = mapped_column(String(16))
    message: Mapped[str | None] = mapped_column(Text)
    failures: Mapped[int] = mapped_column(Integer, default=0)
    crashes: Mapped[int] = mapped_column(Integer, default=0)
    times_lost: Mapped[int] = mapped_column("losses", Integer, key="times_lost", default=0)  # the column is older
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
        is_known("state", State),
        is_known("queue", Queue),
        is_known("reason", Reason),
        is_known("dtype", DTYPES),
        is_known("engine", ENGINES),
        CheckConstraint(f"(state IN ({_FINISHED})) = (finished_at IS NOT NULL)", name="over_means_dated"),
        CheckConstraint("(state = 'running') = (claim_id IS NOT NULL)", name="running_means_claimed"),
        CheckConstraint("(state = 'failed') = (reason IS NOT NULL)", name="failed_means_a_reason"),
        Index("ix_jobs_lanes", "queue", _POOL, "stage", text("precedence DESC"), "rank", "id",
              sqlite_where=_QUEUED, postgresql_where=_QUEUED),
        Index("ix_jobs_claim_order", "queue", text("precedence DESC"), "rank", "id",
              sqlite_where=_QUEUED, postgresql_where=_QUEUED),
        Index("ix_jobs_riders_in_order", "pack_key", "start_step", text("precedence DESC"), "rank", "id",
              sqlite_where=_QUEUED, postgresql_where=_QUEUED),
        Index("ix_jobs_by_priority", "project_id", "queue", "precedence", text("priority DESC"), "rank", "id",
              sqlite_where=_QUEUED, postgresql_where=_QUEUED),
        Index("ix_jobs_singles", "project_id", "queue", "precedence", "rank",
              sqlite_where=_SINGLE, postgresql_where=_SINGLE),
        Index("ix_jobs_queued_of_batch", "batch_id", "id",
              sqlite_where=_QUEUED_IN_A_BATCH, postgresql_where=_QUEUED_IN_A_BATCH),
        Index("ix_jobs_queued_of_key", "counted_for", sqlite_where=_QUEUED_AND_COUNTED,
              postgresql_where=_QUEUED_AND_COUNTED),
        Index("ix_jobs_running", "batch_id", "id", sqlite_where=_RUNNING, postgresql_where=_RUNNING),
        Index("ix_jobs_waiting_again", "project_id", "id", sqlite_where=_AGAIN, postgresql_where=_AGAIN),
        Index("ix_jobs_claimed", "claim_id", sqlite_where=_CLAIMED, postgresql_where=_CLAIMED),
        Index("ix_jobs_failed_of_batch", "batch_id", "reason", "id",
              sqlite_where=_FAILED_AND_COUNTED, postgresql_where=_FAILED_AND_COUNTED),
        Index("ix_jobs_replaced_of_batch", "batch_id", "state", sqlite_where=_REPLACED, postgresql_where=_REPLACED),
        Index("ix_jobs_pinned", "project_id", "id", sqlite_where=text("pinned = 1"), postgresql_where=text("pinned")),
        Index("ix_jobs_blocked", "wait_id", "id", sqlite_where=_BLOCKED, postgresql_where=_BLOCKED),
        Index("ix_jobs_followed", "id", sqlite_where=text(f"followed = 1 AND {_OVER}"),
              postgresql_where=text(f"followed AND {_OVER}")),
        Index("ix_jobs_retries", "retry_of", "id", sqlite_where=_A_RETRY, postgresql_where=_A_RETRY),
        Index("ix_jobs_rechecks", "recheck_of", "id", sqlite_where=_A_RECHECK, postgresql_where=_A_RECHECK),
    )  # fmt: skip


# Literals: the planners take a partial index only where the words of its condition stand in the query as they are.
IS_QUEUED: ColumnElement[bool] = Job.state == literal_column(f"'{State.QUEUED}'")
IS_RUNNING: ColumnElement[bool] = Job.state == literal_column(f"'{State.RUNNING}'")
IS_WAITING_AGAIN: ColumnElement[bool] = and_(IS_QUEUED, Job.attempt > literal_column("0"))
"""Queued after an attempt: of some steps it has losses already."""
IS_PINNED: ColumnElement[bool] = literal_column("jobs.pinned", Boolean)
IS_BLOCKED: ColumnElement[bool] = and_(IS_QUEUED, Job.queue == literal_column(f"'{Queue.BLOCKED}'"))
IS_FOLLOWED_AND_OVER: ColumnElement[bool] = and_(
    literal_column("jobs.followed", Boolean),
    Job.state.in_([literal_column(f"'{state}'") for state in State if state in FINISHED]),
)
"""A job that ended, of whose end those that wait for it have not heard."""


class IdempotencyKey(Table):
    """A key that a client sent with a submission, and the job, or the first job and the batch, that it made."""

    __tablename__ = "idempotency_keys"

    project_id: Mapped[int] = mapped_column(Integer, ForeignKey("projects.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    body_sha256: Mapped[str] = mapped_column(String(64))
    job_id: Mapped[UUID]
    batch_id: Mapped[UUID | None]
    retried: Mapped[int | None] = mapped_column(Integer)  # of a retry of a batch or a question: how many jobs
    created_at: Mapped[float]


class DeletedJob(Table):
    """The id of a deleted job, for which the API answers 410."""

    __tablename__ = "deleted_jobs"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(Integer, ForeignKey("projects.id"))
    deleted_at: Mapped[float] = mapped_column(index=True)
