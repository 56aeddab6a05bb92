"""What is asked of jobs long after they ran: figures, parameters and tags, beside the rows that workers move.

A row is written twice at most: at submission what is fixed there, and at the job's end what is final then. So its
indexes cost nothing while a job waits and runs.
"""

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from gradyard.jobs.fleet import Queue
from gradyard.jobs.states import FINISHED, Reason, State
from gradyard.store.tables.base import Table
from gradyard.store.tables.vocabularies import is_known

_IN_A_BATCH = text("batch_id IS NOT NULL")

FIGURES_IN_ORDER = ("loss_min", "loss_last", "finished_at", "train_seconds")
"""Figures of which an index has the jobs of each stage and final state in order."""

METRICS_IN_ORDER = ("last", "min", "max")
"""Figures of a metric of which an index has the jobs of each stage and final state in order."""


def _in_order(name: str) -> Index:
    there = text(f"{name} IS NOT NULL")
    columns = ("project_id", "stage", "state", name, "job_id")
    return Index(f"ix_summaries_by_{name}", *columns, sqlite_where=there, postgresql_where=there)


class JobSummary(Table):
    """What a job was submitted as, and how it ended. Its state is NULL until it has ended: `jobs` has the live one."""

    __tablename__ = "summaries"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(Integer)
    batch_id: Mapped[UUID | None]
    stage: Mapped[str] = mapped_column(String(64))
    name: Mapped[str | None] = mapped_column(String(200))
    submitted_at: Mapped[float]
    # parameters that nearly every sweep varies; the others of its spec are those of `parameters_id`
    steps: Mapped[int | None]
    points: Mapped[int | None]
    degree: Mapped[int | None] = mapped_column(Integer)
    seed: Mapped[int | None]
    learning_rate: Mapped[float | None]  # the number, also where `auto` was asked
    parameters_id: Mapped[UUID | None] = mapped_column(ForeignKey("parameter_sets.id"))
    # how it ended
    state: Mapped[str | None] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(16))
    queue: Mapped[str | None] = mapped_column(String(8))
    attempt: Mapped[int | None] = mapped_column(Integer)
    started_at: Mapped[float | None]
    finished_at: Mapped[float | None]
    steps_done: Mapped[int | None]
    loss_first: Mapped[float | None]
    loss_last: Mapped[float | None]
    loss_min: Mapped[float | None]
    loss_min_step: Mapped[int | None]
    diverged_at: Mapped[int | None]
    setup_seconds: Mapped[float | None]
    train_seconds: Mapped[float | None]
    records: Mapped[int | None] = mapped_column(Integer)
    pack_size: Mapped[int | None] = mapped_column(Integer)

    __table_args__ = (
        is_known("state", (state for state in State if state in FINISHED)),
        is_known("reason", Reason),
        is_known("queue", Queue),
        CheckConstraint("(state IS NULL) = (finished_at IS NULL)", name="ended_means_dated"),
        Index("ix_summaries_by_state", "project_id", "state", "job_id"),
        Index("ix_summaries_by_stage", "project_id", "stage", "state", "job_id"),
        Index("ix_summaries_of_batch", "batch_id", "state", "job_id",
              sqlite_where=_IN_A_BATCH, postgresql_where=_IN_A_BATCH),
        Index("ix_summaries_of_batch_by_stage", "batch_id", "stage", "state", "job_id",
              sqlite_where=_IN_A_BATCH, postgresql_where=_IN_A_BATCH),
        Index("ix_summaries_parameters_id", "parameters_id"),
        Index("ix_summaries_by_name", "project_id", "name", "job_id",
              sqlite_where=text("name IS NOT NULL"), postgresql_where=text("name IS NOT NULL")),
        *(_in_order(name) for name in FIGURES_IN_ORDER),
    )  # fmt: skip


class ParameterSet(Table):
    """Parameters that jobs have in common: of a sweep all but those that it varies. Its id is a hash of them."""

    __tablename__ = "parameter_sets"

    id: Mapped[UUID] = mapped_column(primary_key=True)


class JobParameter(Table):
    """A parameter of a set, by its dotted name (`optimizer.momentum`): a number, or a text."""

    __tablename__ = "job_parameters"

    set_id: Mapped[UUID] = mapped_column(ForeignKey("parameter_sets.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    number: Mapped[float | None]
    text: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        CheckConstraint("(number IS NULL) <> (text IS NULL)", name="a_number_or_a_text"),
        Index("ix_job_parameters_number", "name", "number", "set_id"),
        Index("ix_job_parameters_text", "name", "text", "set_id"),
    )


class JobTag(Table):
    """A tag of a job."""

    __tablename__ = "job_tags"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(Integer)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    value: Mapped[str] = mapped_column(Text)

    __table_args__ = (Index("ix_job_tags_newest", "project_id", "key", "value", "job_id"),)


class MetricSummary(Table):
    """The figures of a metric of a job that has ended, and the steps at which they were measured."""

    __tablename__ = "metric_summaries"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    stage: Mapped[str | None] = mapped_column(String(64))  # these two as in `summaries`, for the indexes
    state: Mapped[str | None] = mapped_column(String(16))
    last: Mapped[float | None]
    last_step: Mapped[int]
    min: Mapped[float | None]
    min_step: Mapped[int | None]
    max: Mapped[float | None]
    max_step: Mapped[int | None]

    __table_args__ = (
        is_known("state", (state for state in State if state in FINISHED)),
        *(Index(f"ix_metric_summaries_in_order_of_{figure}", "project_id", "name", "stage", "state", figure, "job_id")
          for figure in METRICS_IN_ORDER),
    )  # fmt: skip
