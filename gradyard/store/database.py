"""Engines and transactions of SQLite and PostgreSQL."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.engine import URL, make_url

from gradyard.jobs import identifiers
from gradyard.jobs.errors import SettingsInvalid
from gradyard.store import quantiles
from gradyard.store.dialects import POSTGRESQL_CLOCK
from gradyard.store.driver_errors import takes_no_writes, translate_driver_errors

USE = "use sqlite:///FILE or postgresql://USER@HOST/NAME"
SHORTEST_STATEMENT_TIMEOUT_SECONDS = 10.0
# A stopped process, or one behind a cut cable, keeps its locks for so long. We pause for less than 1 s within one.
SILENT_TRANSACTION_SECONDS = 5.0  # after which PostgreSQL ends a transaction whose client says nothing; a lease is 15 s
# The same network, seen from the server: without these a session of a client that vanished lives for two hours.
SERVER_NETWORK = {
    "tcp_keepalives_idle": 5, "tcp_keepalives_interval": 2, "tcp_keepalives_count": 3, "tcp_user_timeout": 10_000
}  # fmt: skip
SQLITE_PRAGMAS = (
    "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-16000",
    "journal_size_limit=16777216",  # what a long read let the write-ahead log grow to is cut off again
)  # fmt: skip
# Of one process, for the requests and threads that ask at the same moment. The server has a hundred for all processes.
MOST_CONNECTIONS = 24
POOL_TIMEOUT_SECONDS = 10.0  # that a thread waits for one of them
PGBOUNCER = "pgbouncer"  # in the query of a URL: the server is reached through PgBouncer in transaction mode


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
        self.engine = _engine(url, pool_size, {
            "lock_timeout": lock_timeout_seconds, "statement_timeout": statement_timeout_seconds,
            "idle_in_transaction_session_timeout": silent_transaction_seconds,
        })  # fmt: skip
        self.is_sqlite = self.engine.dialect.name == "sqlite"

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
        """A reading transaction. Raises DatabaseUnavailable where the database does not answer in time."""
        with translate_driver_errors(), self.engine.connect() as connection:
            yield connection
            _end_reading(connection)

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A reading transaction in which every statement sees the database as of one moment, that of the first one.

        In `read` each sees what was committed before it. Raises DatabaseUnavailable as `read` does.
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


def _end_reading(connection: Connection) -> None:
    if not connection.invalidated:
        connection.commit()  # at a ROLLBACK psycopg forgets what it has prepared; to plan anew takes 1 ms for a job


def _engine(url: str, pool_size: int, timeouts: dict[str, float]) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() == "sqlite":
            return _sqlite_engine(parsed, timeouts["lock_timeout"], pool_size)
        if parsed.get_backend_name() != "postgresql":
            raise SettingsInvalid(f"DATABASE_URL: {parsed.get_backend_name()} is not supported; {USE}")
        return _postgresql_engine(parsed, timeouts, pool_size)
    except (exc.ArgumentError, exc.NoSuchModuleError) as error:
        raise SettingsInvalid(f"DATABASE_URL: {error}; {USE}") from None
    except ModuleNotFoundError as error:
        raise SettingsInvalid(f"DATABASE_URL: {error}; install gradyard[postgresql]") from None


def is_pgbouncer(url: URL) -> bool:
    """Whether the URL says that it leads through PgBouncer. Raises SettingsInvalid for another word than `true`."""
    said = url.query.get(PGBOUNCER)
    if said not in (None, "true"):
        raise SettingsInvalid(f"DATABASE_URL: {PGBOUNCER}={said} is not known; write {PGBOUNCER}=true or leave it out")
    return said is not None


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
        quantiles.add_to(connection)

    return engine


def _postgresql_engine(url: Any, timeouts: dict[str, float], pool_size: int) -> Engine:
    milliseconds = {name: int(seconds * 1000) for name, seconds in timeouts.items()}
    options = " ".join(f"-c {name}={value}" for name, value in (milliseconds | SERVER_NETWORK).items())
    # A network that drops packets sends no error: without these a query would wait for it for a quarter of an hour.
    network = {"tcp_user_timeout": 5_000, "keepalives_idle": 2, "keepalives_interval": 1, "keepalives_count": 3}
    settings = {"connect_timeout": 3, "options": options, "application_name": "gradyard"} | network
    # Of several hosts in the URL, the one that takes writes; a standby is refused, as if it were away.
    settings["target_session_attrs"] = "read-write"
    if through_pgbouncer := is_pgbouncer(url):
        del settings["options"]  # PgBouncer refuses them
        settings["prepare_threshold"] = None  # the next transaction may run in another session
    engine = create_engine(
        url.difference_update_query([PGBOUNCER]), pool_size=pool_size, max_overflow=MOST_CONNECTIONS - pool_size,
        pool_timeout=POOL_TIMEOUT_SECONDS, pool_recycle=3600, pool_pre_ping=True, connect_args=settings, **_OPTIONS,
    )  # fmt: skip
    if through_pgbouncer:
        limits = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in milliseconds.items())
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(f"SELECT {limits}"))
    event.listen(engine, "connect", _follow_the_clock)
    event.listen(engine, "handle_error", _leave_a_standby)
    return engine


def _follow_the_clock(connection: Any, _: Any) -> None:
    # Hosts that share a database follow its clock: their ids sort by age, whatever their own clocks say.
    identifiers.follow(connection.execute(f"SELECT {POSTGRESQL_CLOCK}").fetchone()[0])
    connection.rollback()


def _leave_a_standby(context: Any) -> None:
    # Every connection is made anew then: after a failover the address may lead to the new primary.
    if isinstance(context.sqlalchemy_exception, exc.DBAPIError) and takes_no_writes(context.sqlalchemy_exception):
        context.is_disconnect = True
