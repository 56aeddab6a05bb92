"""Copies of a SQLite database: made beside writers, checked, and one file without a log."""

import sqlite3
from contextlib import closing
from pathlib import Path

MAGIC = b"SQLite format 3\0"


class CopyUnusable(Exception):
    """A copy of a database that is damaged, or not one of gradyard."""


def copy(source: Path, target: Path) -> None:
    """Copy the database of one moment into the file `target`, while others read and write it.

    Raises sqlite3.Error where a file cannot be read or written.
    """
    with closing(_open(source)) as origin, closing(sqlite3.connect(target)) as made:
        origin.backup(made)
        made.execute("PRAGMA journal_mode=DELETE")


def checked_revision(path: Path) -> str:
    """The revision of the tables in this copy, after all of it was read. Raises CopyUnusable, with the reason."""
    try:
        with closing(_open(path)) as opened:
            found = opened.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if found != "ok":
                raise CopyUnusable(f"it is damaged ({found})")
            row = opened.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise CopyUnusable("it has no tables of gradyard" if "no such table" in str(error) else str(error)) from None
    if row is None:
        raise CopyUnusable("it has no tables of gradyard")
    return str(row[0])


def _open(path: Path) -> sqlite3.Connection:
    """Open a file that is there; nothing is made."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=10.0)
