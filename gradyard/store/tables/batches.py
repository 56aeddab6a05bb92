"""Batches, and the ids of deleted ones."""

from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Boolean, ColumnElement, ForeignKey, Index, Integer, String, false, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from gradyard.store.tables.base import Table


class Batch(Table):
    """Jobs that were submitted together, with the sweep that made them, if any."""

    __tablename__ = "batches"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(Integer, ForeignKey("projects.id"))
    name: Mapped[str | None] = mapped_column(String(200))
    size: Mapped[int] = mapped_column(Integer)  # how many jobs
    sweep: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    submitted_at: Mapped[float]
    submitted_by: Mapped[str | None] = mapped_column(String(200))  # NULL: a batch of an older version
    followed: Mapped[bool] = mapped_column(server_default=false())  # jobs wait for it that must hear of its end

    __table_args__ = (
        Index("ix_batches_newest", "project_id", "id"),
        Index("ix_batches_followed", "id", sqlite_where=text("followed = 1"), postgresql_where=text("followed")),
    )


IS_FOLLOWED_BATCH: ColumnElement[bool] = literal_column("batches.followed", Boolean)


class DeletedBatch(Table):
    """The id of a deleted batch, for which the API answers 410."""

    __tablename__ = "deleted_batches"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(Integer, ForeignKey("projects.id"))
    deleted_at: Mapped[float] = mapped_column(index=True)
