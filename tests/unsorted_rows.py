"""A database gives rows that no statement sorts in any order, though most days in that in which they were written."""

import sqlite3
from typing import Any

from sqlalchemy import Engine, event


def reverse_unsorted_rows() -> None:
    """Reverse that order in every SQLite database of this process that SQLAlchemy opens.

    Code and tests that lean on the order fail at once then, and not on the day on which PostgreSQL fills a gap in a
    table. The processes that a test starts are not told: there rows come as users have them.
    """
    event.listen(Engine, "connect", _reverse)


def _reverse(connection: Any, _: Any) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA reverse_unordered_selects=ON")
