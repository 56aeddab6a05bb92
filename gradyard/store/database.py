"""Engines and transactions. What SQLite and PostgreSQL do differently is said here and nowhere else."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event, exc, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import Double

from gradyard.jobs.errors import DatabaseNotReady, DatabaseUnavailable, SettingsInvalid, StorageFull

USE = "use sqlite:///FILE or postgresql://USER@HOST/NAME"


class now(FunctionElement[float]):  # noqa: N801 - reads as the SQL function that it is
    """The database's clock in seconds since 1970 UTC: no host's clock decides a lease."""

    type = Double()
    inherit_cache = True


@compiles(now, "sqlite")
def _now_sqlite(element: Any, compiler: Any, **_: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(now, "postgresql")
def _now_postgresql(element: Any, compiler: Any, **_: Any) -> str:
    # clock_timestamp(), never now(): a transaction that waited for a lock must not live in its own past.
    return "extract(epoch FROM clock_timestamp())::double precision"


class Database:
    """One database: `begin()` to write, `read()` to read."""

    def __init__(self, url: str, *, lock_timeout_seconds: float = 10.0, pool_size: int = 8) -> None:
        self.url = url
        self.engine = _engine(url, lock_timeout_seconds, pool_size)
        self.is_sqlite = self.engine.dialect.name == "sqlite"

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A writing transaction: commits at the end, rolls back on any exception.

        Raises DatabaseUnavailable where the database does not answer in time, StorageFull where its disk is full.
        """
        with _translate_driver_errors(), self.engine.begin() as connection:
            if self.is_sqlite:
                # Taken now: a transaction that reads first and then asks for the lock is refused, not queued.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A reading transaction; raises as `begin` does."""
        with _translate_driver_errors(), self.engine.connect() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection; after a fork, the child opens its own."""
        self.engine.dispose()


def strip_unstorable(text: str) -> str:
    """Text as every database takes it: without NUL and without halves of characters."""
    return text.replace("\0", "").encode(errors="replace").decode()


def insert_or_ignore(connection: Connection, table: Any) -> Any:
    """An INSERT that leaves a row that is already there as it is; on PostgreSQL it waits for a twin to commit."""
    return _insert_or_ignore(connection.dialect.name, table)


def insert_or_replace(connection: Connection, table: Any) -> Any:
    """An INSERT that gives a row of the same primary key, if there is one, its own values."""
    return _insert_or_replace(connection.dialect.name, table)


def insert_or_add(connection: Connection, table: Any, column: str) -> Any:
    """An INSERT that adds its value of that column to a row of the same primary key, if there is one."""
    return _insert_or_add(connection.dialect.name, table, column)


@cache
def _insert_or_add(dialect_name: str, table: Any, column: str) -> Any:
    statement = _insert(dialect_name, table)
    columns = table.__table__.columns
    key = [each.name for each in columns if each.primary_key]
    total = columns[column] + statement.excluded[column]
    return statement.on_conflict_do_update(index_elements=key, set_={column: total})


@cache
def _insert_or_ignore(dialect_name: str, table: Any) -> Any:
    return _insert(dialect_name, table).on_conflict_do_nothing()


@cache
def _insert_or_replace(dialect_name: str, table: Any) -> Any:
    statement = _insert(dialect_name, table)
    columns = table.__table__.columns
    key = [column.name for column in columns if column.primary_key]
    others = {column.name: statement.excluded[column.name] for column in columns if not column.primary_key}
    return statement.on_conflict_do_update(index_elements=key, set_=others)


def _insert(dialect_name: str, table: Any) -> Any:
    return (sqlite if dialect_name == "sqlite" else postgresql).insert(table.__table__)


def advisory_lock(connection: Connection, name: str) -> None:
    """Whoever says the same name waits until this transaction is over; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


def for_claiming(query: Any) -> Any:
    """Lock the rows that are read and pass over those that another claimer locks; SQLite has one writer anyway."""
    return query.with_for_update(skip_locked=True)


def _engine(url: str, lock_timeout_seconds: float, pool_size: int) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() == "sqlite":
            return _sqlite_engine(parsed, lock_timeout_seconds, pool_size)
        if parsed.get_backend_name() != "postgresql":
            raise SettingsInvalid(f"DATABASE_URL: {parsed.get_backend_name()} is not supported; {USE}")
        return _postgresql_engine(parsed, lock_timeout_seconds, pool_size)
    except (exc.ArgumentError, exc.NoSuchModuleError) as error:
        raise SettingsInvalid(f"DATABASE_URL: {error}; {USE}") from None
    except ModuleNotFoundError as error:
        raise SettingsInvalid(f"DATABASE_URL: {error}; install gradyard[postgresql]") from None


# Of every engine: no values in the text of an error, and JSON read and written ten times as fast as by Python's own.
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
        connection.isolation_level = None  # BEGIN is ours to say
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-16000"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _postgresql_engine(url: Any, lock_timeout_seconds: float, pool_size: int) -> Engine:
    milliseconds = int(lock_timeout_seconds * 1000)
    options = f"-c lock_timeout={milliseconds} -c statement_timeout={max(3 * milliseconds, 10_000)}"
    # A network that swallows packets tells nobody: without these a query would wait for it for a quarter of an hour.
    network = {"tcp_user_timeout": 5_000, "keepalives_idle": 2, "keepalives_interval": 1, "keepalives_count": 3}
    settings = {"connect_timeout": 3, "options": options, "application_name": "gradyard"} | network
    return create_engine(
        url, pool_size=pool_size, max_overflow=64, pool_pre_ping=True, connect_args=settings, **_OPTIONS
    )


@contextmanager
def _translate_driver_errors() -> Iterator[None]:
    """Turn a driver's failure into one of ours, without statements or parameters in its text."""
    try:
        yield
    except exc.DBAPIError as error:
        text = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__
        if "disk is full" in text or "No space left" in text or "disk I/O error" in text or _state_of(error) == "53100":
            raise StorageFull(f"the database's disk is full ({text})") from error
        if "no such table" in text or _state_of(error) == "42P01":
            raise DatabaseNotReady("the database has no tables of ours: gradyard db upgrade") from error
        if isinstance(error, exc.OperationalError | exc.InterfaceError) or error.connection_invalidated:
            raise DatabaseUnavailable(f"the database does not answer ({text})") from error
        raise
    except exc.TimeoutError as error:
        raise DatabaseUnavailable("the database does not answer (every connection is in use)") from error


def _state_of(error: exc.DBAPIError) -> str | None:
    """PostgreSQL's code of an error (its Appendix A)."""
    return getattr(error.orig, "sqlstate", None)
