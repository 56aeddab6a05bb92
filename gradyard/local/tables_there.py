"""Whether a database holds tables: a process of a command of its own serves none that is empty."""

import contextlib
import sqlite3
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from gradyard.jobs.errors import DatabaseNotReady, DatabaseUnavailable, SettingsInvalid
from gradyard.store.database import Database
from gradyard.store.engines import USE

REVISION = "SELECT 1 FROM alembic_version"  # after all tables were dropped this one is there, too, and empty


def name_of_empty(url: str) -> str | None:
    """How people know the database of that URL where it holds no tables; None where it does, or does not answer.

    Raises SettingsInvalid where the URL names no database that we know.
    """
    try:
        named = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise SettingsInvalid(f"DATABASE_URL: {error}; {USE}") from None
    if named.get_backend_name() == "sqlite":
        shown = named.database or ":memory:"
        return None if shown.startswith("file:") or file_holds_tables(Path(shown)) else shown
    return None if _answers_with_tables(Database(url)) else named.render_as_string(hide_password=True)


def file_holds_tables(file: Path) -> bool:
    """Whether an SQLite file is there and holds tables."""
    try:
        with contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute(REVISION).fetchone() is not None
    except sqlite3.Error:
        return False


def _answers_with_tables(database: Database) -> bool:
    """Whether a PostgreSQL holds tables; true as well where it does not answer."""
    try:
        with database.read() as connection:
            return connection.exec_driver_sql(REVISION).first() is not None
    except DatabaseNotReady:
        return False
    except DatabaseUnavailable:
        return True
    finally:
        database.close()
