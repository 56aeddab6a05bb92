"""The database of a process that is started by a command of its own."""

import contextlib
from pathlib import Path

import typer

from gradyard.cli.errors import BadUsage
from gradyard.jobs.settings import Settings
from gradyard.local.network_disk import refuse_network_disk


def with_a_database(settings: Settings) -> Settings:
    """The settings; without DATABASE_URL it says which file is used. Raises BadUsage where that holds no tables.

    Raises SettingsInvalid where DATABASE_URL names no database that we know, and CannotStart where it is on a network
    file system. A PostgreSQL that does not answer may still come.
    """
    # imported here: SQLAlchemy takes a third of a second, and most commands do not need it
    from gradyard.local.tables_there import file_holds_tables, name_of_empty

    refuse_network_disk(settings)
    if settings.database_url is None:
        _say_which(settings.sqlite_file, file_holds_tables(settings.sqlite_file))
    elif shown := name_of_empty(settings.database):
        raise BadUsage(f"DATABASE_URL: {shown} holds no tables; `gradyard db upgrade` makes them")
    return settings


def _say_which(file: Path, holds_tables: bool) -> None:
    if not holds_tables:
        raise BadUsage(
            f"DATABASE_URL is not set, and {file} holds no tables: `gradyard up` starts a whole service on this "
            "machine, `gradyard db upgrade` makes the tables there, DATABASE_URL names another database"
        )
    with contextlib.suppress(OSError):  # a closed terminal must not prevent the start
        typer.echo(f"gradyard: DATABASE_URL is not set; the database is {file}", err=True)
