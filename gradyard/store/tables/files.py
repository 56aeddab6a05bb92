"""Files that people sent in as data, and which jobs are trained on them."""

from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from gradyard.jobs.files.facts import FileFormat
from gradyard.store.tables.base import Table
from gradyard.store.tables.vocabularies import is_known


class File(Table):
    """A file of a project: what is known of it. Two uploads of the same bytes are one file."""

    __tablename__ = "files"

    project_id: Mapped[int] = mapped_column(Integer, ForeignKey("projects.id"), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str | None] = mapped_column(String(200))
    bytes: Mapped[int]
    format: Mapped[str] = mapped_column(String(8))
    rows: Mapped[int]
    columns: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    preview: Mapped[list[list[Any]]] = mapped_column(JSON)
    place: Mapped[str | None] = mapped_column(String(200))  # the name of its content; NULL: it is in file_contents
    uploaded_at: Mapped[float]  # for the last time: a file that no job needs is kept for some days from then on
    uploaded_by: Mapped[str] = mapped_column(String(200))

    __table_args__ = (
        is_known("format", FileFormat),
        CheckConstraint("bytes > 0", name="it_has_content"),
        Index("ix_files_newest", "project_id", "uploaded_at", "sha256"),
    )


_OF_FILE = ["files.project_id", "files.sha256"]


class FileContent(Table):
    """The content of a small file."""

    __tablename__ = "file_contents"

    project_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[bytes]

    __table_args__ = (ForeignKeyConstraint(["project_id", "sha256"], _OF_FILE, ondelete="CASCADE"),)


class UnclaimedContent(Table):
    """A content outside the database that belongs to no file: of an upload under way, or of a file that is deleted.

    It is written before the content is, and goes with the row of the file, or once the content is deleted.
    """

    __tablename__ = "unclaimed_contents"

    place: Mapped[str] = mapped_column(String(200), primary_key=True)
    due_at: Mapped[float] = mapped_column(index=True)  # from then on maintenance deletes the content


class PreparedPlace(Table):
    """That the place of larger files was made ready once: one row, or none."""

    __tablename__ = "prepared_places"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    prepared_at: Mapped[float]


class JobFile(Table):
    """A job is trained on a file. While there is such a row, the file cannot be deleted."""

    __tablename__ = "job_files"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(String(64))

    __table_args__ = (
        ForeignKeyConstraint(["project_id", "sha256"], _OF_FILE),
        Index("ix_job_files_of_file", "project_id", "sha256"),
    )
