"""The database of a process that is started by a command of its own."""

import contextlib
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gradyard.cli.errors import BadUsage
from gradyard.jobs.errors import DatabaseNotReady, DatabaseUnavailable, SettingsInvalid
from gradyard.jobs.settings import Settings
from gradyard.local.network_disk import refuse_network_disk

if TYPE_CHECKING:
    from gradyard.store.database import Database

REVISION = "SELECT 1 FROM alembic_version"  # without tables this one is there, too, where there were some


def with_a_database(settings: Settings) -> Settings:
    """The settings; without DATABASE_URL it says which file is used. Raises BadUsage where that holds no tables.

    Raises SettingsInvalid where DATABASE_URL names no database that we know, and CannotStart where it is on a network
    file system. A PostgreSQL that does not answer may still come.
    """
    if settings.database_url is None:
        _refuse_new_file(settings.sqlite_file)
    else:
        _refuse_without_tables(settings.database)
    refuse_network_disk(settings)
    return settings


def _refuse_new_file(file: Path) -> None:
    if not _holds_tables(file):
        raise BadUsage(
            f"DATABASE_URL is not set, and {file} holds no tables: `gradyard up` starts a whole service on this "
            "machine, `gradyard db upgrade` makes the tables there, DATABASE_URL names another database"
        )
    with contextlib.suppress(OSError):  # a closed terminal must not prevent the start
        typer.echo(f"gradyard: DATABASE_URL is not set; the database is {file}", err=True)


def _refuse_without_tables(url: str) -> None:
    # imported here: SQLAlchemy takes a third of a second, and most commands do not need it
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    from gradyard.store.database import USE, Database

    try:
        named = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise SettingsInvalid(f"DATABASE_URL: {error}; {USE}") from None
    if named.get_backend_name() == "sqlite":
        shown = named.database or ":memory:"
        there = shown.startswith("file:") or _holds_tables(Path(shown))
    else:
        there, shown = _answers_with_tables(Database(url)), named.render_as_string(hide_password=True)
    if not there:
        raise BadUsage(f"DATABASE_URL: {shown} holds no tables; `gradyard db upgrade` makes them")


def _answers_with_tables(database: "Database") -> bool:
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


def _holds_tables(file: Path) -> bool:
    try:
        with contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute(REVISION).fetchone() is not None
    except sqlite3.Error:
        return False
