"""Whether anything was committed to a database: SQLite counts it; on PostgreSQL another snapshot is current."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from gradyard.store.database import Database

AGAIN_SECONDS = 0.25  # between two tries to connect
# Both are read from no table and take no lock; a statement by itself passes through PgBouncer.
SQLITE_VERSION, POSTGRESQL_SNAPSHOT = "PRAGMA data_version", "SELECT pg_current_snapshot()::text"


class Changes:
    """Asks on a connection of its own, which is made anew after an error. For one thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._question = SQLITE_VERSION if database.is_sqlite else POSTGRESQL_SNAPSHOT
        self._errors = (database.engine.dialect.loaded_dbapi.Error, SQLAlchemyError)
        self._connection: Any = None  # the driver's own
        self._again_at = 0.0
        self._last: object = None

    def have_come(self) -> bool:
        """Whether another connection has committed since this was last asked; True where it cannot tell."""
        before, self._last = self._last, self._read()
        return self._last is None or self._last != before

    def close(self) -> None:
        """Close its connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _read(self) -> object:
        if self._connection is None and time.monotonic() < self._again_at:
            return None
        try:
            self._connection = self._connection or self._connected()
            return self._connection.execute(self._question).fetchone()[0]
        except self._errors:
            self.close()
            self._again_at = time.monotonic() + AGAIN_SECONDS
            return None

    def _connected(self) -> Any:
        lent = self._database.engine.raw_connection()
        driver: Any = lent.driver_connection
        lent.detach()  # the pool may give out another one
        if not self._database.is_sqlite:
            driver.autocommit = True
        return driver


@contextmanager
def changes_of(database: Database) -> Iterator[Changes]:
    """Yields what says whether something was committed, until the block ends."""
    changes = Changes(database)
    try:
        yield changes
    finally:
        changes.close()
