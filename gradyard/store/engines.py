"""Engines of SQLite and PostgreSQL: how a process connects, and what each connection is told."""

import sqlite3
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, create_engine, event, exc
from sqlalchemy.engine import URL, make_url

from gradyard.jobs import identifiers
from gradyard.jobs.errors import SettingsInvalid
from gradyard.store import quantiles
from gradyard.store.dialects import POSTGRESQL_CLOCK
from gradyard.store.driver_errors import takes_no_writes

USE = "use sqlite:///FILE or postgresql://USER@HOST/NAME"
# The same network, seen from the server: without these a session of a client that vanished lives for two hours.
SERVER_NETWORK = {
    "tcp_keepalives_idle": 5, "tcp_keepalives_interval": 2, "tcp_keepalives_count": 3, "tcp_user_timeout": 10_000
}  # fmt: skip
SQLITE_PRAGMAS = (
    "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-16000",
    # 14 MB: by default every second commit of a thousand jobs also copied the write-ahead log into the file.
    "wal_autocheckpoint=3400",
    "journal_size_limit=16777216",  # what a long read let the write-ahead log grow to is cut off again
)  # fmt: skip
# Of one process, for the requests and threads that ask at the same moment. The server has a hundred for all processes.
MOST_CONNECTIONS = 24
POOL_TIMEOUT_SECONDS = 10.0  # that a thread waits for one of them; it gets the one that was used last, which is warm
CONNECT_SECONDS = 3  # whole ones, that a host of the URL has to answer
PGBOUNCER = "pgbouncer"  # in the query of a URL: the server is reached through PgBouncer in transaction mode


def engine_of(url: str, pool_size: int, timeouts: Mapping[str, float], options: Mapping[str, Any]) -> Engine:
    """An engine that connects on first use.

    timeouts: in seconds, by the name that PostgreSQL has for each; of `lock_timeout` SQLite has one too. options: of
    every engine, as `create_engine` takes them. Raises SettingsInvalid where the URL is wrong.
    """
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() == "sqlite":
            return _sqlite_engine(parsed, timeouts["lock_timeout"], pool_size, options)
        if parsed.get_backend_name() != "postgresql":
            raise SettingsInvalid(f"DATABASE_URL: {parsed.get_backend_name()} is not supported; {USE}")
        return _postgresql_engine(parsed, timeouts, pool_size, options)
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


def _sqlite_engine(url: Any, lock_timeout_seconds: float, pool_size: int, options: Mapping[str, Any]) -> Engine:
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=64,
        pool_use_lifo=True,
        connect_args={"timeout": lock_timeout_seconds},
        **options,
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


def _postgresql_engine(
    url: Any, timeouts: Mapping[str, float], pool_size: int, options: Mapping[str, Any]
) -> Engine:  # fmt: skip
    milliseconds = {name: int(seconds * 1000) for name, seconds in timeouts.items()}
    told = " ".join(f"-c {name}={value}" for name, value in (milliseconds | SERVER_NETWORK).items())
    # A network that drops packets sends no error: without these a query would wait for it for a quarter of an hour.
    network = {"tcp_user_timeout": 5_000, "keepalives_idle": 2, "keepalives_interval": 1, "keepalives_count": 3}
    settings = {"connect_timeout": CONNECT_SECONDS, "options": told, "application_name": "gradyard"} | network
    # Of several hosts in the URL, the one that takes writes; a standby is refused, as if it were away.
    settings["target_session_attrs"] = "read-write"
    if through_pgbouncer := is_pgbouncer(url):
        del settings["options"]  # PgBouncer refuses them
        settings["prepare_threshold"] = None  # the next transaction may run in another session
    engine = create_engine(
        url.difference_update_query([PGBOUNCER]), pool_size=pool_size, max_overflow=MOST_CONNECTIONS - pool_size,
        pool_timeout=POOL_TIMEOUT_SECONDS, pool_recycle=3600, pool_use_lifo=True, connect_args=settings, **options,
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
