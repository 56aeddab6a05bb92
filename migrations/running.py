"""How steps run: on PostgreSQL beside writers, on SQLite as the one writer.

PostgreSQL: each step is a transaction of its own. A statement that changes a table waits for the table's lock, and all
later writers wait behind it. So it gives up after `LOCK_TIMEOUT_SECONDS`, less than the second that a heartbeat waits,
and the upgrade goes on at the same step a little later. No statement has a timeout: an index of a large table takes
minutes.

SQLite: all steps are one transaction. Other writers wait until it ends.
"""

import time
from collections.abc import Callable
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, exc, text
from sqlalchemy.engine import make_url

from gradyard.jobs.errors import DatabaseUnavailable, SettingsInvalid
from gradyard.store.database import Database
from gradyard.store.driver_errors import sqlstate_of, translate_driver_errors
from gradyard.store.engines import is_pgbouncer

LOCK_TIMEOUT_SECONDS = 0.3
PAUSE_SECONDS = 0.5  # between two tries, so that the writers that waited get through
MOST_TRIES = 400  # about five minutes
SQLITE_LOCK_TIMEOUT_SECONDS = 60.0
SILENT_TRANSACTION_SECONDS = 60.0  # a step may compute for a while between two statements
LOCK_NAME = "gradyard migrations"
LOCKED = ("55P03", "40P01")  # PostgreSQL's codes of a lock timeout and of a deadlock

SCRIPTS = Path(__file__).parent


def run_steps(url: str, steps: Callable[[Connection], None]) -> None:
    """Call `steps` with a connection, alone among all upgrades of the database.

    Raises SettingsInvalid where the URL leads through PgBouncer.
    """
    lock_timeout_seconds = SQLITE_LOCK_TIMEOUT_SECONDS if url.startswith("sqlite") else LOCK_TIMEOUT_SECONDS
    database = Database(
        url, lock_timeout_seconds=lock_timeout_seconds, statement_timeout_seconds=0,
        silent_transaction_seconds=SILENT_TRANSACTION_SECONDS,
    )  # fmt: skip
    if is_pgbouncer(make_url(url)):
        raise SettingsInvalid("DATABASE_URL: tables are changed in one session; give the URL of the server itself")
    try:
        if database.is_sqlite:
            with database.begin() as connection:
                steps(connection)
        else:
            with translate_driver_errors(), database.engine.connect() as connection:
                _wait_for_other_upgrades(connection)
                _try_until_unlocked(connection, steps)
    finally:
        database.close()


def _wait_for_other_upgrades(connection: Connection) -> None:
    """Take a lock that lasts as long as the connection.

    It is asked for again and again: a statement that waits for it would hold a snapshot, for which the other upgrade's
    CREATE INDEX CONCURRENTLY waits.
    """
    take = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
    while not connection.execute(take, {"name": LOCK_NAME}).scalar_one():
        connection.rollback()
        time.sleep(PAUSE_SECONDS)
    connection.commit()


def _try_until_unlocked(connection: Connection, steps: Callable[[Connection], None]) -> None:
    for _ in range(MOST_TRIES):
        try:
            steps(connection)
            connection.commit()
            return
        except exc.OperationalError as error:
            if sqlstate_of(error) not in LOCKED:
                raise
            connection.rollback()
            time.sleep(PAUSE_SECONDS)
    raise DatabaseUnavailable("other transactions keep a table locked; end them, then run gradyard db upgrade again")


def newest_revision(moment: str = "") -> str:
    """The last step that this version knows; of that moment (`pre` or `post`), where one is given."""
    steps = ScriptDirectory.from_config(alembic_config(None)).walk_revisions()
    return next(step.revision for step in steps if step.revision.endswith(moment))


def alembic_config(connection: Connection | None) -> Config:
    """Alembic's configuration for our steps, run on that connection."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    return config
