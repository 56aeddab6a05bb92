"""Failures of the database drivers as errors of ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from gradyard.jobs.errors import DatabaseNotReady, DatabaseUnavailable, StorageFull

DISK_FULL, NO_TABLE = "53100", "42P01"  # PostgreSQL's codes (its Appendix A)
WORDS_OF_FULL_DISK = ("disk is full", "No space left", "disk I/O error")


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
