"""How the database came to look as `gradyard.store.tables` says, one step a file.

A step's name tells its moment: `pre` is safe before the new code runs, `post` only after the old code is gone. So an
older version goes on with the tables of a newer one up to its next `post`, and a new version works before its own.

After some steps rows are filled in (`FILLS`), in short transactions beside writers.
"""

from functools import partial

from alembic import command
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from gradyard.jobs.errors import DatabaseNotReady
from gradyard.store.database import Database
from migrations.metric_rows import fill_metrics
from migrations.running import alembic_config, newest_revision, run_steps
from migrations.summary_rows import fill_summaries

FILLS = {"0020_pre": fill_summaries, "0021_pre": fill_summaries, "0035_pre": fill_metrics}
"""What is called with the database after that step, before the next: before a `post` for what an older version left."""


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at `url` up to `revision`; one that is up to date, or of a newer version, is left alone.

    revision: `pre` stops before the steps for which an older version must be gone, unless the database is new.
    Of two upgrades at once the second waits for the first. Raises DatabaseUnavailable where other transactions keep a
    table locked for minutes.
    """
    if revision == "pre" and revision_at(url) is not None:
        revision = newest_revision("pre")
    target = newest_revision() if revision in ("head", "pre") else revision
    for stop, fill in FILLS.items():
        if target >= stop and not _is_after(revision_at(url), stop):
            run_steps(url, partial(_steps_to, stop))
            fill(url)
    run_steps(url, partial(_steps_to, target))


def _steps_to(revision: str, connection: Connection) -> None:
    if _is_after(_revision_of(connection), revision):
        return
    if connection.dialect.name == "postgresql":
        connection.commit()  # the read above began a transaction; Alembic begins one for each step
    command.upgrade(alembic_config(connection), revision)


def _is_after(present: str | None, revision: str) -> bool:
    return present is not None and present[:4] > revision[:4]


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
    if present is None or present < newest_revision("pre"):
        raise DatabaseNotReady(
            f"the database is at {present or 'nothing'}, this version needs {wanted}: gradyard db upgrade"
        )


def is_complete(url: str) -> bool:
    """Whether the database at `url` has every step of this version, or more."""
    present = revision_at(url)
    return present is not None and present[:4] >= newest_revision()[:4]


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
