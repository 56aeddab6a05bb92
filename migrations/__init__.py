"""How the database came to look as `gradyard.store.tables` says, one step a file.

A step's name tells its moment: `pre` is safe before the new code runs, `post` only after the old code is gone. So an
older version goes on with the tables of a newer one up to its next `post`.
"""

from alembic import command
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from gradyard.jobs.errors import DatabaseNotReady
from gradyard.store.database import Database
from migrations.running import alembic_config, newest_revision, run_steps


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at `url` up to `revision`; one that is up to date, or of a newer version, is left alone.

    Of two upgrades at once the second waits for the first. Raises DatabaseUnavailable where other transactions keep a
    table locked for minutes.
    """

    def steps(connection: Connection) -> None:
        if is_newer(_revision_of(connection)):
            return
        if connection.dialect.name == "postgresql":
            connection.commit()  # the read above began a transaction; Alembic begins one for each step
        command.upgrade(alembic_config(connection), revision)

    run_steps(url, steps)


def downgrade(url: str, revision: str) -> None:
    """Take the database at `url` back to `revision` (`base`: no tables at all)."""
    run_steps(url, lambda connection: command.downgrade(alembic_config(connection), revision))


def check(database: Database) -> None:
    """Raise DatabaseNotReady where this version cannot work with the tables."""
    with database.read() as connection:
        present = _revision_of(connection)
    wanted = newest_revision()
    if is_newer(present) and "pre" in str(present):
        return
    if is_newer(present):
        raise DatabaseNotReady(
            f"the database is at {present}, for which this version ({wanted}) is too old: install a newer"
        )
    if present != wanted:
        raise DatabaseNotReady(
            f"the database is at {present or 'nothing'}, this version needs {wanted}: gradyard db upgrade"
        )


def revision_at(url: str) -> str | None:
    """The revision of the tables in the database at `url`; None where it has none. Raises DatabaseUnavailable."""
    database = Database(url)
    try:
        with database.read() as connection:
            return _revision_of(connection)
    finally:
        database.close()


def _revision_of(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def is_newer(revision: str | None) -> bool:
    """Whether the revision is of a newer version than this one; revisions are `NNNN_moment`."""
    return revision is not None and int(revision[:4]) > int(newest_revision()[:4])
