"""Whether anything was committed to a SQLite file: a number that SQLite counts, read in microseconds."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gradyard.store.database import Database


@contextmanager
def changes_of(database: Database) -> Iterator[Callable[[], bool] | None]:
    """Yields what says whether another connection has committed since it was last asked; None on PostgreSQL.

    It says True where it cannot tell. For one thread.
    """
    if not database.is_sqlite:
        yield None
        return
    connection: Any = database.engine.raw_connection()
    driver: sqlite3.Connection = connection.driver_connection
    connection.detach()  # the pool may give out another one
    last: list[int | None] = [None]

    def have_come() -> bool:
        try:
            version: int | None = driver.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error:
            version = None
        same, last[0] = version is not None and version == last[0], version
        return not same

    try:
        yield have_come
    finally:
        connection.close()
