"""Rows with large values of bytes. As text, PostgreSQL would send each byte as two digits, and psycopg undo that."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, event

_FORMAT = 1  # of PostgreSQL's protocol: binary


def binary_rows(connection: Connection, query: Select[Any], values: Mapping[str, Any]) -> Sequence[Any]:
    """The rows of a query whose columns are texts and bytes."""
    if connection.dialect.name == "sqlite":
        return connection.execute(query, values).all()
    event.listen(connection, "before_cursor_execute", _ask_for_bytes)
    try:
        return connection.execute(query, values).all()
    finally:
        event.remove(connection, "before_cursor_execute", _ask_for_bytes)


def _ask_for_bytes(
    connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool
) -> None:  # fmt: skip
    cursor.format = type(cursor.format)(_FORMAT)
