"""How the database came to look as `jobs.tables` says, one step a file.

A step's name tells its moment: `pre` is safe before the new code runs, `post` only after the old code is gone.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from jobs.database import Database
from jobs.errors import DatabaseNotReady


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at `url` up to `revision`; an up-to-date one is left alone."""
    database = Database(url)
    try:
        with database.begin() as connection:
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
    """Raise DatabaseNotReady where the tables are not those of this version."""
    with database.read() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    wanted = ScriptDirectory.from_config(_config(None)).get_current_head()
    if found != wanted:
        raise DatabaseNotReady(
            f"the database is at {found or 'nothing'}, this version needs {wanted}: gradyard db upgrade"
        )


def _config(connection: object) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config
