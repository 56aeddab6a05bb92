"""A database that a test gave back is as good as a new one, or the next test gets another."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from gradyard.jobs.settings import Settings, load
from gradyard.store.database import Database
from tests import emptied_databases as module
from tests.actors import claimed, submitted, succeeds, worker_of
from tests.emptied_databases import SPARE, EmptiedDatabases
from tests.servers import PostgresServer

TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
ROWS = "SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY to_jsonb(t)), '[]') FROM \"{}\" t"
OBJECTS = """SELECT relname, relkind::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT proname, 'function' FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    ORDER BY 1, 2"""
SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences ORDER BY 1"


@pytest.fixture
def settings_of_tests(tmp_path: Path) -> Settings:
    """What submitting needs."""
    return load(database_url="sqlite://", redis_url="redis://127.0.0.1:1/0", state_dir=tmp_path, admin_key=None)


@pytest.fixture
def emptied(postgres: PostgresServer) -> Iterator[EmptiedDatabases]:
    """Databases of this test alone."""
    emptied = EmptiedDatabases(postgres)
    yield emptied
    emptied.close()


def contents(url: str) -> Any:
    """All rows, positions of sequences and definitions."""
    with psycopg.connect(url) as connection:
        tables = [name for (name,) in connection.execute(TABLES).fetchall()]
        rows = {name: connection.execute(ROWS.format(name).encode()).fetchone() for name in tables}
        return rows, connection.execute(SEQUENCES).fetchall(), connection.execute(OBJECTS).fetchall()


def exists(server: PostgresServer, name: str) -> bool:
    return server.admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is not None


def given_back(emptied: EmptiedDatabases, *statements: str) -> str:
    """The name of a database in which a test executed these before it gave it back."""
    name, url = emptied.take()
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.format(name=name).encode())
    emptied.give_back(name)
    return name


def test_what_is_given_back_is_empty_and_equal_to_a_new_one(
    emptied: EmptiedDatabases, postgres: PostgresServer, settings_of_tests: Settings
) -> None:
    """Rows of every kind were written, and those that migrations made were changed and deleted."""
    new, names = contents(postgres.url_of(postgres.template)), list[str]()
    for _ in range(SPARE):
        name, url = emptied.take()
        database = Database(url)
        submitted(database, settings_of_tests, tags={"a": "b"})
        succeeds(database, claimed(database, worker_of(database)))
        with database.begin() as connection:
            connection.exec_driver_sql("DELETE FROM bells")
            connection.exec_driver_sql("INSERT INTO projects (name) VALUES ('physics')")
        assert contents(url) != new
        database.close()
        emptied.give_back(name)
        names.append(name)
    again, url = emptied.take()
    assert again not in names, "a thread that a test left behind must not find it"
    assert not exists(postgres, names[0]), "it has that name now"
    assert contents(url) == new
    emptied.give_back(again)


CHANGES = {
    "a table": ("CREATE TABLE mine (n int)",), "a column": ("ALTER TABLE jobs ADD COLUMN mine int",),
    "an index": ("CREATE INDEX mine ON jobs (state)",), "no index": ("DROP INDEX ix_jobs_lanes",),
    "a constraint": ("ALTER TABLE jobs ADD CONSTRAINT mine CHECK (steps < 9)",),
    "a function": ("CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",),
    "statistics": ("INSERT INTO projects (name) VALUES ('physics')", "ANALYZE projects"),
    "a setting": ('ALTER DATABASE "{name}" SET lock_timeout = 7',),
    "a limit": ('ALTER DATABASE "{name}" CONNECTION LIMIT 7',),
    "many rows": ("INSERT INTO projects (name) SELECT 'p' || n FROM generate_series(1, 3000) n",),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_one_that_deleting_rows_does_not_make_new_is_dropped(
    emptied: EmptiedDatabases, postgres: PostgresServer, change: str
) -> None:
    names = {given_back(emptied, *CHANGES[change]) for _ in range(SPARE)}
    assert not any(exists(postgres, name) for name in names)
    name, url = emptied.take()
    assert contents(url) == contents(postgres.url_of(postgres.template))
    emptied.give_back(name)


def test_one_with_a_client_is_dropped(
    emptied: EmptiedDatabases, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CLIENTS_GO_SECONDS", 0.01)
    name, url = emptied.take()
    left_behind = psycopg.connect(url)
    emptied.give_back(name)
    assert not exists(postgres, name)
    with pytest.raises(psycopg.OperationalError):
        left_behind.execute("SELECT 1")
    left_behind.close()


def test_at_the_end_none_is_left(postgres: PostgresServer) -> None:
    emptied = EmptiedDatabases(postgres)
    names = [emptied.take()[0] for _ in range(SPARE + 1)]
    for name in names:
        emptied.give_back(name)
    assert all(exists(postgres, name) for name in names)
    emptied.close()
    assert not any(exists(postgres, name) for name in names)
