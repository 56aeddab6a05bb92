"""Space of deleted rows, given back to the disk.

SQLite: the pages of deleted rows stay in the file, free for new rows. A file that was made by this version gives them
back in small steps (`auto_vacuum=INCREMENTAL`), beside writers. An older one must be written anew once (`VACUUM`),
alone. The write-ahead log is cut short where it has grown under a long read.

PostgreSQL gives space back by itself (autovacuum); `vacuum_tables` does it now.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection

from gradyard.jobs.errors import DatabaseUnavailable
from gradyard.store.database import Database
from gradyard.store.driver_errors import translate_driver_errors
from gradyard.store.tables import Table

STEP_PAGES = 128  # moved by one transaction: about 5 ms; on a slow disk some tens
PAGES_KEPT = 256  # free ones, for the next rows: 1 MiB
INCREMENTAL = 2  # SQLite's number of that mode


def gives_back_in_steps(database: Database) -> bool:
    """Whether this SQLite file can give free pages back in steps; one of an older version cannot."""
    with database.read() as connection:
        return bool(_pragma(connection, "auto_vacuum") == INCREMENTAL)


def free_bytes(database: Database) -> int:
    """How many bytes of this SQLite file hold nothing."""
    with database.read() as connection:
        return _pragma(connection, "freelist_count") * _pragma(connection, "page_size")


def size_bytes(database: Database) -> int:
    """How many bytes the database has; of a SQLite file without its write-ahead log."""
    with database.read() as connection:
        if database.is_sqlite:
            return _pragma(connection, "page_count") * _pragma(connection, "page_size")
        return int(connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one())


def give_back(database: Database, seconds: float = float("inf"), *, keep_pages: int = PAGES_KEPT) -> int:
    """Give free pages of a SQLite file back to the disk, for `seconds` at most. Returns how many.

    Each step is a transaction of its own, so other writers get the lock in between.
    """
    if not database.is_sqlite:
        return 0
    given, until = 0, time.monotonic() + seconds
    with _impatient(database) as connection:
        if _pragma(connection, "auto_vacuum") != INCREMENTAL:
            return 0
        while (free := _pragma(connection, "freelist_count")) > keep_pages and time.monotonic() < until:
            _step(connection, min(STEP_PAGES, free - keep_pages))
            given += free - _pragma(connection, "freelist_count")
            time.sleep(0.001)  # another writer asks for the lock every few milliseconds
    return given


def cut_log(database: Database) -> None:
    """Empty the write-ahead log of a SQLite file, where no read or write is under way at this moment."""
    if not database.is_sqlite:
        return
    with _impatient(database) as connection:
        # The first copies without the write lock. The second needs it, and finds next to nothing left to copy.
        connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)").all()
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all()


def write_anew(database: Database) -> None:
    """Write a SQLite file anew, without free pages. It needs twice its size on the disk, and writers wait all along."""
    with translate_driver_errors(), database.engine.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA auto_vacuum={INCREMENTAL}")  # from now on, in steps
        connection.exec_driver_sql("VACUUM")
    cut_log(database)


def vacuum_tables(database: Database) -> None:
    """Let PostgreSQL clean every table of ours, and count its rows for the planner; others read and write meanwhile."""
    with translate_driver_errors(), database.engine.connect() as connection:
        alone = connection.execution_options(isolation_level="AUTOCOMMIT")
        alone.exec_driver_sql("SET statement_timeout = 0")
        for table in Table.metadata.sorted_tables:
            alone.exec_driver_sql(f'VACUUM (ANALYZE) "{table.name}"')
        alone.exec_driver_sql("RESET statement_timeout")


def _step(connection: Connection, pages: int) -> None:
    # A page is moved with each step of the statement, and the driver makes all steps of a script alone.
    driver: Any = connection.connection.driver_connection
    try:
        driver.executescript(f"PRAGMA incremental_vacuum({pages})")
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):  # else another one writes at this moment
            raise DatabaseUnavailable(f"the database does not answer ({error})") from error


@contextmanager
def _impatient(database: Database) -> Iterator[Connection]:
    """A connection that waits for no lock: what cannot be done now is done the next time."""
    with translate_driver_errors(), database.engine.connect() as connection:
        busy_timeout = _pragma(connection, "busy_timeout")
        connection.exec_driver_sql("PRAGMA busy_timeout=0")
        try:
            yield connection
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout={busy_timeout}")


def _pragma(connection: Connection, name: str) -> int:
    return int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
