"""Backup and restore on both databases: all of it comes back, or nothing is touched and a line says why."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import SecretStr

import migrations
from gradyard.jobs.settings import Settings
from gradyard.jobs.states import State
from gradyard.local.copies.backup import back_up
from gradyard.local.copies.restore import restore
from gradyard.local.errors import CannotCopy
from gradyard.local.state_folder import StateFolder
from gradyard.store import queries
from gradyard.store.database import Database
from migrations.running import newest_revision
from tests.actors import claimed, expires, submitted, succeeds, worker_of
from tests.servers import PostgresServer, postgresql_programs

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """pg_dump and pg_restore of the newest PostgreSQL in the wheel are on the PATH."""
    monkeypatch.setenv("PATH", f"{postgresql_programs()}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def elsewhere(
    request: pytest.FixtureRequest, database: Database, settings: Settings, tmp_path: Path
) -> Iterator[Settings]:
    """Settings for another database of the same kind, which is empty and has no tables."""
    if database.is_sqlite:
        (tmp_path / "elsewhere").mkdir()
        url = f"sqlite:///{tmp_path}/elsewhere/other.db"
        yield changed(settings, url)
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = f"other_{uuid4().hex}"
    yield changed(settings, server.make_empty(name))
    server.drop(name)


def changed(settings: Settings, url: str) -> Settings:
    return settings.model_copy(update={"database_url": SecretStr(url)})


def jobs_of(settings: Settings) -> int:
    database = Database(settings.database)
    with database.read() as connection:
        found = sum(each.count for each in queries.job_counts(connection))
    database.close()
    return found


def idle(database: Database) -> None:
    """No worker is alive."""
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE workers SET lease_until = 0")
    database.close()


def test_a_backup_that_is_made_while_a_job_trains_comes_back_and_the_job_is_queued_again(
    database: Database, settings: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    done = submitted(database, settings)
    succeeds(database, claimed(database, worker_of(database)))
    running = submitted(database, settings)
    claimed(database, worker_of(database), lease=-1.0)
    copy = tmp_path / "a.backup"
    with database.begin() as connection:  # a writer is at work
        connection.exec_driver_sql("UPDATE projects SET name = name")
        assert back_up(settings, copy) == newest_revision()
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    restored = restore(elsewhere, copy)
    assert (restored.jobs, restored.running, restored.is_older) == (2, 1, False)
    other = Database(elsewhere.database)
    migrations.check(other)
    with other.begin() as connection:
        assert queries.state_of(connection, 1, done) is State.SUCCEEDED
        assert len(queries.loss_curve(connection, 1, done, "float32")) == 4
        expires(connection)
        assert queries.state_of(connection, 1, running) is State.QUEUED
    other.close()


def test_a_database_that_holds_jobs_is_replaced_by_force_alone(
    database: Database, settings: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    copy = tmp_path / "a.backup"
    submitted(database, settings)
    back_up(settings, copy)
    restore(elsewhere, copy)
    submitted(database, settings)
    back_up(settings, copy, replace=True)
    with pytest.raises(CannotCopy, match=r"holds jobs or keys.*--force"):
        restore(elsewhere, copy)
    assert jobs_of(elsewhere) == 1
    assert restore(elsewhere, copy, replace=True).jobs == 2
    assert jobs_of(elsewhere) == 2


def test_a_database_that_a_worker_uses_is_not_replaced(database: Database, settings: Settings, tmp_path: Path) -> None:
    copy = tmp_path / "a.backup"
    back_up(settings, copy)
    worker_of(database)
    database.close()
    with pytest.raises(CannotCopy, match=r"in use by the worker cpu-0@host .*stop the service first"):
        restore(settings, copy, replace=True)


def test_a_database_that_an_api_has_open_is_not_replaced(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    copy = tmp_path / "a.backup"
    back_up(settings, copy)
    with database.read() as connection:
        connection.exec_driver_sql("SELECT 1")
    with pytest.raises(CannotCopy, match="stop the service first"):
        restore(settings, copy, replace=True)
    database.close()
    restore(settings, copy, replace=True)


@on_sqlite
def test_a_state_folder_in_which_a_stack_is_up_is_not_touched(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    copy = tmp_path / "a.backup"
    back_up(settings, copy)
    database.close()
    up = StateFolder(settings.state_dir)
    up.take()
    up.note("http://127.0.0.1:8000", [])
    with pytest.raises(CannotCopy, match=rf"in use by process {os.getpid()}, at http.*stop that stack first"):
        restore(settings, copy)
    up.leave()
    restore(settings, copy)


def test_a_backup_of_an_older_version_comes_back_and_says_so(
    database: Database, settings: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    copy = tmp_path / "a.backup"
    submitted(database, settings)
    database.close()
    migrations.upgrade(elsewhere.database)
    migrations.downgrade(settings.database, "0013_pre")
    assert back_up(settings, copy) == "0013_pre"
    restored = restore(elsewhere, copy, replace=True)
    assert (restored.revision, restored.is_older, restored.jobs) == ("0013_pre", True, 1)
    migrations.upgrade(elsewhere.database)
    assert jobs_of(elsewhere) == 1


def test_a_backup_of_a_newer_version_is_refused(
    database: Database, settings: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    copy = tmp_path / "a.backup"
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9998_pre'")
    back_up(settings, copy)
    with pytest.raises(CannotCopy, match=r"9998_pre, and this version knows .*install"):
        restore(elsewhere, copy)


def test_a_damaged_backup_is_refused(
    database: Database, settings: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    copy = tmp_path / "a.backup"
    back_up(settings, copy)
    content = bytearray(copy.read_bytes())
    copy.write_bytes(content[: len(content) // 2])
    with pytest.raises(CannotCopy, match="was not restored"):
        restore(elsewhere, copy)


@pytest.mark.parametrize("content", [b"", b"some text", b"SQLite format 3\0" + b"\0" * 100, b"PGDMP" + b"\0" * 100])
def test_what_is_no_backup_is_refused(elsewhere: Settings, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(CannotCopy) as refused:
        restore(elsewhere, tmp_path / "x")
    assert "\n" not in str(refused.value)


@on_sqlite
def test_a_database_of_another_program_is_no_backup(elsewhere: Settings, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "x")) as other:
        other.execute("CREATE TABLE notes (text)")
    with pytest.raises(CannotCopy, match="no tables of gradyard"):
        restore(elsewhere, tmp_path / "x")


def test_a_backup_replaces_an_older_file_by_force_alone(settings: Settings, tmp_path: Path) -> None:
    copy = tmp_path / "a.backup"
    copy.write_text("precious")
    with pytest.raises(CannotCopy, match=r"is there already.*--force"):
        back_up(settings, copy)
    assert copy.read_text() == "precious"
    back_up(settings, copy, replace=True)
    assert copy.stat().st_size > 1000


@pytest.mark.parametrize("target", ["/proc/a.backup", "/dev/null/a.backup", "/missing/a.backup"])
def test_a_folder_that_cannot_be_written_is_said_in_one_line(settings: Settings, target: str) -> None:
    with pytest.raises(CannotCopy, match="no backup was made to"):
        back_up(settings, Path(target))


def test_a_full_disk_leaves_no_half_file(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import resource
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(CannotCopy, match="no backup was made to"):
            back_up(settings, tmp_path / "a.backup")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [each.name for each in tmp_path.iterdir() if "a.backup" in each.name] == []


@on_postgresql
def test_without_its_programs_postgresql_says_what_is_missing(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotCopy, match="pg_dump is not on the PATH; install PostgreSQL's client programs"):
        back_up(settings, tmp_path / "a.backup")
    assert list(tmp_path.glob("*backup*")) == []


@on_sqlite
def test_a_database_that_is_not_there_is_not_made(settings: Settings, tmp_path: Path) -> None:
    nowhere = changed(settings, f"sqlite:///{tmp_path}/nothing.db")
    with pytest.raises(CannotCopy, match="there is no database at"):
        back_up(nowhere, tmp_path / "a.backup")
    assert not (tmp_path / "nothing.db").exists()
