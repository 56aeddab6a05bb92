"""Replaces the database by a backup, where that is safe: nothing uses it, and the backup is whole and not too new."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gradyard.jobs.settings import Settings
from gradyard.local.copies.whole_copy import put_in_place, refusals, unnamed_beside
from gradyard.local.database_upgrade import downgrade_tables
from gradyard.local.errors import CannotCopy, StateFolderInUse
from gradyard.local.launch import absolute
from gradyard.local.state_folder import StateFolder


@dataclass(frozen=True)
class Restored:
    """What the database holds now. `is_older`: its tables are those of an older version than this one."""

    revision: str
    is_older: bool
    jobs: int
    running: int


def restore(settings: Settings, source: Path, *, replace: bool = False) -> Restored:
    """Replace the database by the backup `source`. Raises CannotCopy where that is not safe, with nothing changed.

    replace: also where the database holds jobs, batches or keys. They are lost then.
    """
    with refusals(f"{source} was not restored"):
        url = absolute(settings.database)
        revision = _revision_of(source, url)
        with _state_folder_alone(settings), _unused(url, replace):
            _replace(url, source, revision)
        return _what_is_there(url, revision)


def _revision_of(source: Path, url: str) -> str:
    """The revision of a backup of this kind of database that is whole, and no newer than this version."""
    import migrations
    from gradyard.store.upkeep import in_use, postgresql_copy, sqlite_copy
    from migrations.running import newest_revision

    with source.open("rb") as opened:
        begin = opened.read(16)
    kinds = {sqlite_copy.MAGIC: "SQLite", postgresql_copy.MAGIC: "PostgreSQL"}
    kind = next((name for magic, name in kinds.items() if begin.startswith(magic)), None)
    wanted = "PostgreSQL" if in_use.file_of(url) is None else "SQLite"
    if kind != wanted:
        what = f"a backup of {kind}" if kind else "not made by `gradyard db backup`"
        raise CannotCopy(f"{source} is {what}; the database to restore is one of {wanted}")
    revision = (postgresql_copy if wanted == "PostgreSQL" else sqlite_copy).checked_revision(source)
    if migrations.is_newer(revision):
        raise CannotCopy(
            f"{source} has tables of {revision}, and this version knows {newest_revision()}: "
            "install the version that made it, or a newer one"
        )
    return revision


@contextlib.contextmanager
def _state_folder_alone(settings: Settings) -> Iterator[None]:
    """Own the state folder: no `gradyard up` runs in it, and none can start meanwhile."""
    folder = StateFolder(settings.state_dir)
    try:
        folder.take()
    except StateFolderInUse as error:
        raise CannotCopy(f"{str(error).partition(';')[0]}; stop that stack first") from None
    try:
        yield
    finally:
        folder.leave()


@contextlib.contextmanager
def _unused(url: str, replace: bool) -> Iterator[None]:
    """Refuse a database that something uses, or that holds anything and may not be replaced."""
    from gradyard.store.database import Database
    from gradyard.store.upkeep import in_use

    file = in_use.file_of(url)
    if file is None or (file.exists() and file.stat().st_size):
        database = Database(url, lock_timeout_seconds=2.0)
        try:
            with database.read() as connection:
                user, holds = in_use.used_by(connection), in_use.holds_anything(connection)
            if user:
                raise CannotCopy(f"the database is in use by {user}; stop the service first")
            if holds and not replace:
                raise CannotCopy("the database holds jobs or keys, which a restore would replace; --force allows it")
            if database.is_sqlite and not in_use.opened_alone(database):
                raise CannotCopy("another process has the database open; stop the service first")
        finally:
            database.close()
    yield


def _replace(url: str, source: Path, revision: str) -> None:
    import migrations
    from gradyard.store.upkeep import in_use, postgresql_copy, sqlite_copy

    file = in_use.file_of(url)
    if file is not None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with unnamed_beside(file) as new:
            sqlite_copy.copy(source, new)
            put_in_place(new, file)
        return
    present = migrations.revision_at(url)
    if present is not None and present > revision:  # the dump knows nothing of younger tables, and would leave them
        downgrade_tables(url, revision)
    postgresql_copy.restore(source, url)


def _what_is_there(url: str, revision: str) -> Restored:
    from gradyard.store.database import Database
    from migrations.running import newest_revision

    database = Database(url)
    try:
        with database.read() as connection:
            count = "SELECT count(*), coalesce(sum(CASE WHEN state = 'running' THEN 1 ELSE 0 END), 0) FROM jobs"
            jobs, running = connection.exec_driver_sql(count).one()
    finally:
        database.close()
    return Restored(revision, revision != newest_revision(), int(jobs), int(running))
