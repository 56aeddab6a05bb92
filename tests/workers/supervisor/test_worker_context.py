"""A worker keeps what it has trained while the database is away, locked or full."""

import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from gradyard.jobs.errors import DatabaseReadOnly, DatabaseUnavailable, StorageFull
from gradyard.store.database import Database
from gradyard.store.tables import Project
from workers.supervisor import worker_context
from workers.supervisor.worker_context import WorkerContext

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def context_on(database: Database, *, stopping: bool = False) -> WorkerContext:
    """A worker context with a database and nothing else."""
    nothing: Any = None
    return WorkerContext(nothing, nothing, nothing, lambda: stopping, database, nothing)


def one_more_project(connection: Connection) -> int:
    number = connection.exec_driver_sql("SELECT max(id) + 1 FROM projects").scalar_one()
    connection.execute(Project.__table__.insert().values(id=number, name=f"p{number}"))  # type: ignore[attr-defined]
    return int(number)


@pytest.fixture
def short_wait(tmp_path: Path, database: Database) -> Database:
    """A connection to the same database that waits for a lock for a tenth of a second."""
    return Database(database.url, lock_timeout_seconds=0.1)


@on_sqlite
def test_a_commit_waits_for_a_database_that_is_away(database: Database, short_wait: Database) -> None:
    holder = sqlite3.connect(database.engine.url.database or "", isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseUnavailable):
        context_on(short_wait).commit_once(one_more_project)
    timer = threading.Timer(1.0, lambda: holder.execute("ROLLBACK"))
    timer.start()
    assert context_on(short_wait).commit(one_more_project) == 2
    timer.join()
    holder.close()
    short_wait.close()


@on_sqlite
def test_a_commit_waits_for_room_on_the_disk(database: Database, short_wait: Database) -> None:
    full = threading.Event()
    full.set()

    @event.listens_for(short_wait.engine, "begin")
    def limit(connection: Connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages if full.is_set() else 2**30}")

    def much(connection: Connection) -> int:
        connection.exec_driver_sql("CREATE TABLE much AS SELECT zeroblob(1000000) AS blob")
        return 1

    with pytest.raises(StorageFull):
        context_on(short_wait).commit_once(much)
    timer = threading.Timer(1.0, full.clear)
    timer.start()
    assert context_on(short_wait).commit(much) == 1
    timer.join()
    short_wait.close()


@on_postgresql
def test_a_commit_waits_for_a_database_that_takes_writes_again(database: Database) -> None:
    with database.engine.connect() as connection:  # as a standby that a pooled connection leads to
        connection.exec_driver_sql("SET default_transaction_read_only = on")
        connection.commit()
    with pytest.raises(DatabaseReadOnly):
        context_on(database).commit_once(one_more_project)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("SET default_transaction_read_only = on")
        connection.commit()
    assert context_on(database).commit(one_more_project) == 2


@on_postgresql
def test_a_commit_is_made_again_where_the_server_ended_its_silent_transaction(database: Database) -> None:
    impatient = Database(database.url, silent_transaction_seconds=0.2, pool_size=1)
    pauses = [1.0, 0.0]

    def slow(connection: Connection) -> int:
        number = one_more_project(connection)
        time.sleep(pauses.pop(0) if pauses else 0.0)  # a busy machine may lose more of them
        return number

    assert context_on(impatient).commit(slow) == 2
    assert not pauses
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM projects").scalar_one() == 2
    impatient.close()


@on_sqlite
def test_a_worker_that_must_stop_gives_up_soon(
    database: Database, short_wait: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_context, "STOPPING_SECONDS", 0.3)
    with sqlite3.connect(database.engine.url.database or "", isolation_level=None) as holder:
        holder.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with pytest.raises(DatabaseUnavailable):
            context_on(short_wait, stopping=True).commit(one_more_project)
        assert time.monotonic() - began < 30
    holder.close()
    short_wait.close()
