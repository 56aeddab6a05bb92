"""`gradyard db upgrade`, `backup`, `restore` and `vacuum` as a person types them: what they say, their exit status."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from tests.actors import claimed, submitted, worker_of
from tests.cli.command_for_tests import Run

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def named(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)


def file_of(database: Database) -> Path:
    return Path(str(database.engine.url.database))


def test_a_backup_and_the_way_back(run: Run, database: Database, settings: Settings, tmp_path: Path) -> None:
    submitted(database, settings)
    claimed(database, worker_of(database), lease=-1.0)
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE workers SET lease_until = 0")
    copy = tmp_path / "monday.backup"
    made = run("db", "backup", str(copy))
    assert (made.status, made.err) == (0, "")
    assert re.fullmatch(rf"backed up to {copy} \(\d+\.\d MiB, tables of \d{{4}}_(pre|post)\)\n", made.out)
    database.close()
    refused = run("db", "restore", str(copy))
    assert (refused.status, refused.out) == (1, "")
    assert refused.err == (
        "gradyard: the database holds jobs or keys, which a restore would replace; --force allows it\n"
    )
    restored = run("db", "restore", str(copy), "--force")
    assert restored.status == 0
    assert restored.out.startswith(f"restored from {copy}: 1 job, tables of ")
    assert "running when it was made: 1; these are queued again" in restored.out


def test_a_backup_that_is_not_there_is_one_line(run: Run, tmp_path: Path) -> None:
    ended = run("db", "restore", str(tmp_path / "missing"))
    assert (ended.status, ended.out) == (1, "")
    assert ended.err == f"gradyard: {tmp_path}/missing was not restored: No such file or directory\n"


def test_the_database_of_a_state_folder_is_private_also_where_the_folder_was_there(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DATABASE_URL")
    folder = tmp_path / "old"
    folder.mkdir(mode=0o755)
    ended = run("db", "upgrade", "--state-dir", str(folder))
    assert (ended.status, ended.err) == (0, "")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "gradyard.db").stat().st_mode & 0o077 == 0


def test_vacuum_says_how_much_it_gave_back(run: Run, database: Database) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE filler (content BLOB)")
        connection.exec_driver_sql("INSERT INTO filler VALUES (zeroblob(8000000))")
        connection.exec_driver_sql("DROP TABLE filler")
    ended = run("db", "vacuum")
    assert (ended.status, ended.err) == (0, "")
    after, before = map(float, re.findall(r"(\d+\.\d)", ended.out))
    assert before > 5 > 1 > after
    database.close()
    assert file_of(database).stat().st_size < 1_000_000


def test_a_file_of_an_older_version_is_written_anew_and_the_cost_is_said(run: Run, database: Database) -> None:
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA auto_vacuum=NONE")
        connection.exec_driver_sql("VACUUM")
    with database.read():
        busy = run("db", "vacuum")
    assert busy.status == 1
    assert "stop the service first" in busy.err
    database.close()
    ended = run("db", "vacuum")
    assert ended.status == 0
    assert re.search(r"written anew once: that takes about \d+ s and \d+\.\d MiB of free disk", ended.err)
    with closing(sqlite3.connect(file_of(database))) as opened:
        assert opened.execute("PRAGMA auto_vacuum").fetchone() == (2,)
