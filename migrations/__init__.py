"""How the database came to look as `gradyard.store.tables` says, one step a file.

A step's name tells its moment: `pre` is safe before the new code runs, `post` only after the old code is gone. So an
older version goes on with the tables of a newer one up to its next `post`.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from gradyard.jobs.errors import DatabaseNotReady
from gradyard.store.database import Database


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at `url` up to `revision`; one that is up to date, or of a newer version, is left alone."""
    database = Database(url)
    try:
        with database.begin() as connection:
            if not _is_newer(_found(connection)):
                command.upgrade(_config(connection), revision)
    finally:
        database.close()


def downgrade(url: str, revision: str) -> None:
    """Take the database at `url` back to `revision` (`base`: no tables at all)."""
    database = Database(url)
    try:
        with database.begin() as connection:
            command.downgrade(_config(connection), revision)
    finally:
        database.close()


def check(database: Database) -> None:
    """Raise DatabaseNotReady where this version cannot work with the tables."""
    with database.read() as connection:
        found = _found(connection)
    wanted = _newest()
    if _is_newer(found) and "pre" in str(found):
        return
    if _is_newer(found):
        raise DatabaseNotReady(
            f"the database is at {found}, for which this version ({wanted}) is too old: install a newer"
        )
    if found != wanted:
        raise DatabaseNotReady(
            f"the database is at {found or 'nothing'}, this version needs {wanted}: gradyard db upgrade"
        )


def _found(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _newest() -> str:
    return str(ScriptDirectory.from_config(_config(None)).get_current_head())


def _is_newer(found: str | None) -> bool:
    """Whether a newer version than this one has been here; revisions are `NNNN_moment`."""
    return found is not None and int(found[:4]) > int(_newest()[:4])


def _config(connection: object) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config
