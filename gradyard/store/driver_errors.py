"""Failures of the databases' drivers as errors of ours, without statements or parameters in their text."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, exc

from gradyard.jobs.errors import DatabaseNotReady, DatabaseReadOnly, DatabaseUnavailable, StorageFull

# PostgreSQL's codes (its Appendix A): first those of one meaning, then those after which a later try may succeed:
# the connection, a transaction that was ended or has to be made again, too few resources, the server, its machine.
DISK_FULL, NO_TABLE, READ_ONLY = "53100", "42P01", "25006"
LATER = ("08", "25P03", "25P04", "40", "53", "55P03", "57", "58")

SAID_OF_FULL_DISK = ("disk is full", "No space left", "disk I/O error")
SAID_OF_READ_ONLY = ("session is read-only", "readonly database")


@contextmanager
def translate_driver_errors() -> Iterator[None]:
    """Raise our errors in place of a driver's.

    StorageFull, DatabaseNotReady (no tables), DatabaseReadOnly and DatabaseUnavailable; an error that a statement
    itself is to blame for goes through as it is.
    """
    try:
        yield
    except exc.DBAPIError as error:
        if (ours := _translated(error)) is None:
            raise
        raise ours from error
    except exc.TimeoutError as error:
        raise DatabaseUnavailable("the database does not answer (every connection is in use)") from error


@contextmanager
def errors_of_sqlalchemy(connection: Connection, statement: str) -> Iterator[None]:
    """Raise what SQLAlchemy raises for the driver's errors, where a statement is given to the driver itself."""
    base: Any = connection.dialect.loaded_dbapi.Error
    try:
        yield
    except base as error:
        is_closed = getattr(connection.connection.driver_connection, "closed", False)  # of psycopg
        if is_closed:
            connection.invalidate(error)
        about: dict[str, Any] = {"connection_invalidated": is_closed, "dialect": connection.dialect}
        raise exc.DBAPIError.instance(statement, None, error, base, hide_parameters=True, **about) from error


def _translated(error: exc.DBAPIError) -> DatabaseUnavailable | DatabaseNotReady | None:
    text, code = _first_line(error), sqlstate_of(error) or ""
    if code == DISK_FULL or any(words in text for words in SAID_OF_FULL_DISK):
        return StorageFull(f"the database's disk is full ({text})")
    if code == NO_TABLE or "no such table" in text:
        return DatabaseNotReady("the database has no tables of gradyard; run gradyard db upgrade")
    if takes_no_writes(error):
        return DatabaseReadOnly(f"the database takes no writes ({text})")
    is_operational = isinstance(error, exc.OperationalError | exc.InterfaceError)
    if is_operational or error.connection_invalidated or code.startswith(LATER):
        return DatabaseUnavailable(f"the database does not answer ({text})")
    return None


def takes_no_writes(error: exc.DBAPIError) -> bool:
    """Whether the database refused a write, or a connection that wants to write: a standby, or a full managed disk."""
    return sqlstate_of(error) == READ_ONLY or any(words in str(error.orig) for words in SAID_OF_READ_ONLY)


def sqlstate_of(error: exc.DBAPIError) -> str | None:
    """PostgreSQL's code of the error; None for one of SQLite."""
    return getattr(error.orig, "sqlstate", None)


def _first_line(error: exc.DBAPIError) -> str:
    lines = str(error.orig).strip().splitlines()
    return lines[0] if lines else type(error.orig).__name__
