"""Engines and transactions of SQLite and PostgreSQL, and failures of their drivers as errors of ours."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.engine import make_url

from gradyard.jobs.errors import DatabaseNotReady, DatabaseUnavailable, SettingsInvalid, StorageFull

USE = "use sqlite:///FILE or postgresql://USER@HOST/NAME"
SHORTEST_STATEMENT_TIMEOUT_SECONDS = 10.0
DISK_FULL, NO_TABLE = "53100", "42P01"  # PostgreSQL's codes (its Appendix A)
SQLITE_PRAGMAS = (
    "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-16000",
    "journal_size_limit=16777216",  # what a long read let the write-ahead log grow to is cut off again
)  # fmt: skip
WORDS_OF_FULL_DISK = ("disk is full", "No space left", "disk I/O error")


class Database:
    """One database: `begin()` to write, `read()` to read."""

    def __init__(
        self, url: str, *, lock_timeout_seconds: float = 10.0, statement_timeout_seconds: float | None = None,
        pool_size: int = 8,
    ) -> None:  # fmt: skip
        """Connect on first use. Raises SettingsInvalid where the URL is wrong.

        statement_timeout_seconds: PostgreSQL alone has it; 0 is no timeout, None three times the lock timeout, at
        least 10 s.
        """
        if statement_timeout_seconds is None:
            statement_timeout_seconds = max(3 * lock_timeout_seconds, SHORTEST_STATEMENT_TIMEOUT_SECONDS)
        self.url = url
        self.engine = _engine(url, lock_timeout_seconds, statement_timeout_seconds, pool_size)
        self.is_sqlite = self.engine.dialect.name == "sqlite"

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A writing transaction: commits at the end, rolls back on any exception.

        Raises DatabaseUnavailable where the database does not answer in time, StorageFull where its disk is full.
        """
        with translate_driver_errors(), self.engine.begin() as connection:
            if self.is_sqlite:
                # Taken now: a transaction that reads first and then asks for the lock is refused, not queued.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A reading transaction. Raises DatabaseUnavailable where the database does not answer in time."""
        with translate_driver_errors(), self.engine.connect() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection; after a fork, the child opens its own."""
        self.engine.dispose()


def _engine(url: str, lock_timeout_seconds: float, statement_timeout_seconds: float, pool_size: int) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() == "sqlite":
            return _sqlite_engine(parsed, lock_timeout_seconds, pool_size)
        if parsed.get_backend_name() != "postgresql":
            raise SettingsInvalid(f"DATABASE_URL: {parsed.get_backend_name()} is not supported; {USE}")
        return _postgresql_engine(parsed, lock_timeout_seconds, statement_timeout_seconds, pool_size)
    except (exc.ArgumentError, exc.NoSuchModuleError) as error:
        raise SettingsInvalid(f"DATABASE_URL: {error}; {USE}") from None
    except ModuleNotFoundError as error:
        raise SettingsInvalid(f"DATABASE_URL: {error}; install gradyard[postgresql]") from None


# For every engine: no values in the text of an error, and JSON read and written ten times as fast as by Python's own.
_OPTIONS: dict[str, Any] = {
    "hide_parameters": True, "json_serializer": lambda value: orjson.dumps(value).decode(),
    "json_deserializer": orjson.loads,
}  # fmt: skip


def _sqlite_engine(url: Any, lock_timeout_seconds: float, pool_size: int) -> Engine:
    engine = create_engine(
        url, pool_size=pool_size, max_overflow=64, connect_args={"timeout": lock_timeout_seconds}, **_OPTIONS
    )

    @event.listens_for(engine, "connect")
    def configure_connection(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # the driver sends no BEGIN of its own; `Database.begin` does
        if connection.execute("PRAGMA page_count").fetchone() == (0,):  # a new file: later it takes a VACUUM
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        for pragma in SQLITE_PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _postgresql_engine(
    url: Any, lock_timeout_seconds: float, statement_timeout_seconds: float, pool_size: int
) -> Engine:
    timeouts = {"lock_timeout": lock_timeout_seconds, "statement_timeout": statement_timeout_seconds}
    options = " ".join(f"-c {name}={int(seconds * 1000)}" for name, seconds in timeouts.items())
    # A network that drops packets sends no error: without these a query would wait for it for a quarter of an hour.
    network = {"tcp_user_timeout": 5_000, "keepalives_idle": 2, "keepalives_interval": 1, "keepalives_count": 3}
    settings = {"connect_timeout": 3, "options": options, "application_name": "gradyard"} | network
    return create_engine(
        url, pool_size=pool_size, max_overflow=64, pool_pre_ping=True, connect_args=settings, **_OPTIONS
    )


@contextmanager
def translate_driver_errors() -> Iterator[None]:
    """Raise our errors in place of a driver's, without statements or parameters in their text.

    StorageFull, DatabaseNotReady (no tables) and DatabaseUnavailable; an error of a statement goes through as it is.
    """
    try:
        yield
    except exc.DBAPIError as error:
        text, code = _first_line(error), sqlstate_of(error)
        if code == DISK_FULL or any(words in text for words in WORDS_OF_FULL_DISK):
            raise StorageFull(f"the database's disk is full ({text})") from error
        if code == NO_TABLE or "no such table" in text:
            raise DatabaseNotReady("the database has no tables of gradyard; run gradyard db upgrade") from error
        if isinstance(error, exc.OperationalError | exc.InterfaceError) or error.connection_invalidated:
            raise DatabaseUnavailable(f"the database does not answer ({text})") from error
        raise
    except exc.TimeoutError as error:
        raise DatabaseUnavailable("the database does not answer (every connection is in use)") from error


def sqlstate_of(error: exc.DBAPIError) -> str | None:
    """PostgreSQL's code of the error; None for one of SQLite."""
    return getattr(error.orig, "sqlstate", None)


def _first_line(error: exc.DBAPIError) -> str:
    lines = str(error.orig).strip().splitlines()
    return lines[0] if lines else type(error.orig).__name__
