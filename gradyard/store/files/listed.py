"""Lists of the files of a project."""

from typing import Any

from sqlalchemy import Connection, Row

from gradyard.store.files.rows import FILES
from gradyard.store.queries.cursors import page_by
from gradyard.store.tables import File


def files_beginning_with(connection: Connection, project_id: int, text: str, limit: int) -> list[Row[Any]]:
    """The files of the project whose ids begin like that, at most so many."""
    begins = File.sha256 >= text, File.sha256 <= text.ljust(64, "f")
    return list(connection.execute(FILES.where(File.project_id == project_id, *begins).limit(limit)))


def files_newest_first(
    connection: Connection, project_id: int, *, limit: int, cursor: str | None = None
) -> tuple[list[Row[Any]], str | None]:
    """A page of the files of the project, the last uploaded first, and the cursor of the next page.

    Raises SpecInvalid where the cursor is not one that this service gave.
    """
    by, query = (File.uploaded_at, File.sha256), FILES.where(File.project_id == project_id)
    return page_by(connection, query, by, limit=limit, cursor=cursor, descending=True)
