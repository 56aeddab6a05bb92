"""The database of a process that is started by a command of its own."""

import contextlib
import sqlite3
from pathlib import Path

import typer

from gradyard.cli.errors import BadUsage
from gradyard.jobs.settings import Settings
from gradyard.local.network_disk import refuse_network_disk


def with_a_database(settings: Settings) -> Settings:
    """The settings; without DATABASE_URL it says which file is used. Raises BadUsage where that holds no tables.

    Raises CannotStart where it is on a network file system.
    """
    file = settings.sqlite_file
    if settings.database_url is None:
        if not _holds_tables(file):
            raise BadUsage(
                f"DATABASE_URL is not set, and {file} holds no tables: `gradyard up` starts a whole service on this "
                "machine, `gradyard db upgrade` makes the tables there, DATABASE_URL names another database"
            )
        with contextlib.suppress(OSError):  # a closed terminal must not prevent the start
            typer.echo(f"gradyard: DATABASE_URL is not set; the database is {file}", err=True)
    refuse_network_disk(settings)
    return settings


def _holds_tables(file: Path) -> bool:
    try:
        with contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return (
                connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone() is not None
            )
    except sqlite3.Error:
        return False
