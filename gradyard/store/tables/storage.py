"""What jobs store, measured behind them by maintenance, and how long their projects keep it."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from gradyard.jobs.storage import StoredKind
from gradyard.store.tables.base import Table

SIZES = tuple(f"{kind}_{what}" for kind in StoredKind for what in ("bytes", "rows"))
"""The columns of `job_sizes` and `project_storage` that hold sizes."""


class _Sizes:
    """Bytes of content, and how many rows hold it. A job has one row of a spec."""

    losses_bytes: Mapped[int]
    losses_rows: Mapped[int]
    metrics_bytes: Mapped[int]
    metrics_rows: Mapped[int]
    artifacts_bytes: Mapped[int]
    artifacts_rows: Mapped[int]
    checkpoints_bytes: Mapped[int]
    checkpoints_rows: Mapped[int]
    logs_bytes: Mapped[int]
    logs_rows: Mapped[int]
    events_bytes: Mapped[int]
    events_rows: Mapped[int]
    specs_bytes: Mapped[int]
    specs_rows: Mapped[int]


class JobSize(_Sizes, Table):
    """What a job that has ended stores. It comes a minute or two after the end, and never changes."""

    __tablename__ = "job_sizes"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(Integer)
    finished_at: Mapped[float]

    __table_args__ = (Index("ix_job_sizes_oldest", "project_id", "finished_at", "job_id"),)


class ProjectStorage(_Sizes, Table):
    """What the jobs of a project store together, those that run included, as of `measured_at`."""

    __tablename__ = "project_storage"

    project_id: Mapped[int] = mapped_column(Integer, ForeignKey("projects.id"), primary_key=True)
    measured_at: Mapped[float]
    measured_to: Mapped[float]  # jobs that ended before are measured


class Retention(Table):
    """Which ended jobs of a project are kept (`RetentionRule`). Without a row those that the service's settings say."""

    __tablename__ = "retention"

    project_id: Mapped[int] = mapped_column(Integer, ForeignKey("projects.id"), primary_key=True)
    days: Mapped[float | None]
    jobs: Mapped[int | None]
    bytes: Mapped[int | None]
    set_at: Mapped[float]
    set_by: Mapped[str] = mapped_column(String(200))


def bytes_of(table: type[JobSize | ProjectStorage]) -> ColumnElement[int]:
    """The bytes of all kinds together, of a row of that table."""
    columns: Any = (table.__table__.columns[name] for name in SIZES if name.endswith("_bytes"))
    return sum(columns, start=next(columns))
