"""Transactions of SQLite and PostgreSQL, and rows of bytes read in them."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection, Dialect, Select, event, exc
from sqlalchemy.engine import make_url
from sqlalchemy.pool import ConnectionPoolEntry

from gradyard.store.driver_errors import errors_of_sqlalchemy, translate_driver_errors
from gradyard.store.engines import engine_of, is_pgbouncer

SHORTEST_STATEMENT_TIMEOUT_SECONDS = 10.0
# A stopped process, or one behind a cut cable, keeps its locks for so long. We pause for less than 1 s within one.
SILENT_TRANSACTION_SECONDS = 5.0  # after which PostgreSQL ends a transaction whose client says nothing; a lease is 15 s
# What was used a moment ago is there; to ask it first would cost every transaction a round trip more.
RESTED_SECONDS = 1.0
# No values in the text of an error, and JSON read and written ten times as fast as by Python's own.
_OPTIONS: dict[str, Any] = {
    "hide_parameters": True, "json_serializer": lambda value: orjson.dumps(value).decode(),
    "json_deserializer": orjson.loads,
}  # fmt: skip


class Database:
    """One database: `begin()` to write, `read()` to read, `snapshot()` to read several things as of one moment."""

    def __init__(
        self, url: str, *, lock_timeout_seconds: float = 10.0, statement_timeout_seconds: float | None = None,
        silent_transaction_seconds: float = SILENT_TRANSACTION_SECONDS, pool_size: int = 8,
    ) -> None:  # fmt: skip
        """Connect on first use. Raises SettingsInvalid where the URL is wrong.

        PostgreSQL alone has these two: statement_timeout_seconds (0 is no timeout, None three times the lock timeout,
        at least 10 s), and silent_transaction_seconds, after which it ends a transaction that waits for its client.
        """
        if statement_timeout_seconds is None:
            statement_timeout_seconds = max(3 * lock_timeout_seconds, SHORTEST_STATEMENT_TIMEOUT_SECONDS)
        self.url = url
        timeouts = {
            "lock_timeout": lock_timeout_seconds, "statement_timeout": statement_timeout_seconds,
            "idle_in_transaction_session_timeout": silent_transaction_seconds,
        }  # fmt: skip
        self.engine = engine_of(url, pool_size, timeouts, _OPTIONS)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        if not self.is_sqlite:
            event.listen(self.engine, "checkin", _note_the_moment)
            event.listen(self.engine, "checkout", lambda *lent: _ask_what_has_rested(self.engine.dialect, *lent[:2]))
        # Else each reading takes two round trips more. Through PgBouncer timeouts are those of a transaction.
        self._reads_without_transaction = not self.is_sqlite and not is_pgbouncer(make_url(url))

    @contextmanager
    def begin(self, lock_timeout_seconds: float | None = None) -> Iterator[Connection]:
        """A writing transaction: commits at the end, rolls back on any exception.

        lock_timeout_seconds: of this transaction on PostgreSQL. Raises DatabaseUnavailable where the database does
        not answer in time, DatabaseReadOnly where it takes no writes, StorageFull where its disk is full.
        """
        with translate_driver_errors(), self.engine.begin() as connection:
            if self.is_sqlite:
                # Taken now: a transaction that reads first and then asks for the lock is refused, not queued.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            elif lock_timeout_seconds is not None:
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(lock_timeout_seconds * 1000)}")
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A reading, in which each statement sees what was committed before it.

        On PostgreSQL it is no transaction: `SET LOCAL` and streamed rows need a `snapshot`. Raises DatabaseUnavailable
        where the database does not answer in time.
        """
        with translate_driver_errors(), self.engine.connect() as connection:
            if self._reads_without_transaction:
                connection.execution_options(isolation_level="AUTOCOMMIT")  # until it goes back to the pool
            yield connection
            _end_reading(connection)

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A reading transaction in which every statement sees the database as of one moment, that of the first one.

        Raises DatabaseUnavailable as `read` does.
        """
        with translate_driver_errors(), self.engine.connect() as connection:
            if self.is_sqlite:
                connection.exec_driver_sql("BEGIN")
            else:
                connection.execution_options(isolation_level="REPEATABLE READ")  # until it goes back to the pool
            yield connection
            _end_reading(connection)

    def takes_writes(self) -> bool:
        """Whether the database could be written to at this moment; nothing is written to find out.

        Raises DatabaseUnavailable where the database does not answer in time.
        """
        with self.read() as connection:
            if self.is_sqlite:
                file = connection.exec_driver_sql("PRAGMA database_list").all()[0][2]  # the main one is first
                return not file or os.access(file, os.W_OK)
            # It is on for every transaction of a standby as well.
            if connection.exec_driver_sql("SHOW transaction_read_only").scalar_one() == "off":
                return True
            connection.invalidate()
        self.engine.dispose()  # new connections may lead to the new primary
        return False

    def close(self) -> None:
        """Close every connection; after a fork, the child opens its own."""
        self.engine.dispose()


def driver_rows(connection: Connection, query: Select[Any], values: Mapping[str, Any]) -> Sequence[tuple[Any, ...]]:
    """The rows of a query as the driver gives them: for curves SQLAlchemy would take longer than the database.

    PostgreSQL sends bytes as they are; otherwise it would send each as two digits. query: one that is built once, since
    its text is kept; its columns are texts, numbers and bytes (cast ids and JSON to Text: SQLAlchemy converts nothing
    here). values: of all of its parameters by name; neither a literal value nor a list for IN may be in it.
    """
    statement, places = _compiled(query, connection.dialect)
    driver: Any = connection.connection.driver_connection
    if places is not None:
        plain = [value.hex if isinstance(value, UUID) else value for value in map(values.__getitem__, places)]
        with errors_of_sqlalchemy(connection, statement):
            rows: Sequence[tuple[Any, ...]] = driver.execute(statement, plain).fetchall()
        return rows
    if not connection.in_transaction():
        connection.begin()  # as before any statement: what ends the reading looks for it
    with errors_of_sqlalchemy(connection, statement):
        rows = driver.execute(statement, values, binary=True).fetchall()
    return rows


@lru_cache(maxsize=64)
def _compiled(query: Select[Any], dialect: Dialect) -> tuple[str, tuple[str, ...] | None]:
    """The text of the query, and the names of its parameters in order where they are told by their place (SQLite)."""
    compiled: Any = query.compile(dialect=dialect)
    return str(compiled), None if compiled.positiontup is None else tuple(compiled.positiontup)


def _end_reading(connection: Connection) -> None:
    if not connection.invalidated:
        connection.commit()  # at a ROLLBACK psycopg forgets what it has prepared; to plan anew takes 1 ms for a job


def _note_the_moment(_: Any, record: ConnectionPoolEntry) -> None:
    record.info["used_at"] = time.monotonic()


def _ask_what_has_rested(dialect: Dialect, connection: Any, record: ConnectionPoolEntry) -> None:
    used_at = record.info.get("used_at")  # none: it was made just now
    if used_at is None or time.monotonic() - used_at < RESTED_SECONDS:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error:
        raise exc.InvalidatePoolError from None  # the others that have rested are gone as well
