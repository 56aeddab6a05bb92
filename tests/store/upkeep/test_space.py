"""Deleted rows give their space back to the disk, beside writers; the write-ahead log does not stay long."""

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

import migrations
from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from gradyard.store.upkeep import space
from workers.maintenance import Maintenance

MEBIBYTE = 2**20


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "space.db"


@pytest.fixture
def made(path: Path) -> Iterator[Database]:
    """A SQLite database as `gradyard db upgrade` makes it."""
    migrations.upgrade(f"sqlite:///{path}")
    opened = Database(f"sqlite:///{path}", lock_timeout_seconds=20.0)
    yield opened
    opened.close()


def fill(database: Database, rows: int = 1500) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS filler (id INTEGER PRIMARY KEY, content BLOB)")
        connection.exec_driver_sql(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
            "INSERT INTO filler (content) SELECT randomblob(4000) FROM n", (rows,),
        )  # fmt: skip


def empty(database: Database) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql("DELETE FROM filler")


def test_maintenance_gives_back_what_was_deleted(path: Path, made: Database, settings: Settings) -> None:
    fill(made)
    empty(made)
    space.cut_log(made)
    assert path.stat().st_size > 5 * MEBIBYTE
    maintenance = Maintenance(settings.model_copy(update={"database_url": type(settings.redis_url)(made.url)}))
    until = time.monotonic() + 60
    while space.free_bytes(made) > MEBIBYTE and time.monotonic() < until:
        maintenance.tick()
    maintenance.close()
    space.cut_log(made)
    assert path.stat().st_size < 3 * MEBIBYTE


def test_a_round_of_maintenance_holds_the_lock_of_writers_for_moments_alone(made: Database) -> None:
    fill(made, 6000)
    empty(made)
    waited: list[float] = []
    with ThreadPoolExecutor(1) as threads:
        giving = threads.submit(space.give_back, made)
        while not giving.done():
            begin = time.monotonic()
            with made.begin() as connection:
                connection.exec_driver_sql("UPDATE bells SET silent_rings = 0")
            waited.append(time.monotonic() - begin)
        assert giving.result() > 5000
    assert sorted(waited)[len(waited) // 2] < 0.25


def test_a_step_that_meets_a_writer_is_left_for_later(made: Database) -> None:
    fill(made)
    empty(made)
    with made.begin():
        assert space.give_back(made, 0.1) == 0
    assert space.give_back(made) > 1000


def test_after_a_long_read_and_many_writes_the_log_is_bounded(path: Path, made: Database) -> None:
    log = path.with_name(path.name + "-wal")
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM jobs").fetchone()
        for _ in range(6):
            fill(made)
        assert log.stat().st_size > 20 * MEBIBYTE
        reader.execute("COMMIT")
    for _ in range(3):  # the writes of a service that goes on
        fill(made, 1)
    assert log.stat().st_size <= 16 * MEBIBYTE
    space.cut_log(made)
    assert log.stat().st_size == 0


def test_a_file_of_an_older_version_gives_back_nothing_in_steps_until_it_is_written_anew(path: Path) -> None:
    with closing(sqlite3.connect(path)) as older:
        older.execute("PRAGMA auto_vacuum=NONE")
        older.execute("CREATE TABLE filler (id INTEGER PRIMARY KEY, content BLOB)")
    database = Database(f"sqlite:///{path}")
    fill(database)
    empty(database)
    assert not space.gives_back_in_steps(database)
    assert space.give_back(database) == 0
    space.write_anew(database)
    assert space.gives_back_in_steps(database)
    assert path.stat().st_size < MEBIBYTE
    database.close()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgresql_vacuums_every_table(database: Database) -> None:
    space.vacuum_tables(database)
    with database.read() as connection:
        seen = connection.exec_driver_sql("SELECT relname FROM pg_stat_user_tables WHERE vacuum_count > 0").scalars()
        assert {"jobs", "loss_chunks", "job_events"} <= set(seen)
    assert space.size_bytes(database) > 0
