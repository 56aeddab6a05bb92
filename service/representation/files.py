"""Rows of files as answers."""

from typing import Any

from sqlalchemy import Row

from gradyard import shapes
from gradyard.store.dialects import as_datetime


def file_answer(row: Row[Any]) -> shapes.File:
    """A file with its columns and its first rows."""
    return shapes.File.of(
        id=row.sha256, name=row.name, bytes=row.bytes, format=row.format, rows=row.rows,
        columns=[shapes.FileColumn.of(**column) for column in row.columns], preview=row.preview, jobs=row.jobs,
        uploaded_at=as_datetime(row.uploaded_at), uploaded_by=row.uploaded_by,
    )  # fmt: skip
