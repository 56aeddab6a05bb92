"""How a process is connected to PostgreSQL: how often, through PgBouncer, and whose clock its ids follow."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, select, text

import migrations
from gradyard.jobs import identifiers
from gradyard.jobs.errors import SettingsInvalid
from gradyard.store import database as store_database
from gradyard.store.database import Database
from gradyard.store.dialects import clock_of
from gradyard.store.engines import MOST_CONNECTIONS
from gradyard.store.tables import Bell
from tests.servers import PostgresServer


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[str]:
    """A migrated, empty database."""
    name = f"test_{uuid4().hex}"
    yield postgres.clone(name)
    postgres.drop(name)


def through_pgbouncer(url: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}pgbouncer=true"


def test_a_process_opens_a_bounded_number_of_connections(url: str) -> None:
    database, other = Database(url), Database(url)
    begun, finished = threading.Semaphore(0), threading.Event()

    def ask() -> None:
        with database.read() as connection:
            connection.execute(text("SELECT 1"))
            begun.release()
            finished.wait(60)

    threads = [threading.Thread(target=ask) for _ in range(MOST_CONNECTIONS + 16)]
    for thread in threads:
        thread.start()
    for _ in range(MOST_CONNECTIONS):
        begun.acquire(timeout=60)
    assert not begun.acquire(timeout=0.2)
    with other.read() as connection:
        sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        assert connection.execute(text(sessions)).scalar_one() == MOST_CONNECTIONS + 1
    finished.set()
    for thread in threads:
        thread.join()
    database.close()
    other.close()


@pytest.mark.parametrize("way", [Database.read, Database.snapshot])
def test_what_is_read_often_is_planned_once(
    url: str, way: Callable[[Database], AbstractContextManager[Connection]]
) -> None:
    database = Database(url, pool_size=1)
    for _ in range(7):  # psycopg prepares what it executes a sixth time
        with way(database) as connection:
            connection.execute(text("SELECT 17"))
    with way(database) as connection:
        prepared = "SELECT count(*) FROM pg_prepared_statements WHERE statement = 'SELECT 17'"
        assert connection.execute(text(prepared)).scalar_one() == 1
    database.close()


def test_a_reading_of_many_statements_is_no_transaction(url: str) -> None:
    database, other = Database(url), Database(url)
    with database.read() as connection, other.read() as looking:
        process = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        state = text("SELECT state FROM pg_stat_activity WHERE pid = :process")
        assert looking.execute(state, {"process": process}).scalar_one() == "idle"
    database.close()
    other.close()


def test_a_connection_is_asked_for_a_sign_of_life_only_after_a_rest(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_database, "RESTED_SECONDS", 600.0)
    database, asked = Database(url), list[object]()
    monkeypatch.setattr(database.engine.dialect, "do_ping", asked.append)
    for _ in range(3):
        takes_writes(database)
    assert asked == []
    monkeypatch.setattr(store_database, "RESTED_SECONDS", 0.0)
    takes_writes(database)
    assert len(asked) == 1
    database.close()


def test_where_the_server_ended_what_rested_all_of_it_is_connected_anew(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_database, "RESTED_SECONDS", 0.0)
    database, other = Database(url), Database(url)
    with database.read(), database.read():
        pass
    with other.read() as connection:
        of_others = "datname = current_database() AND pid <> pg_backend_pid()"
        ended = text(f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {of_others}")
        assert connection.execute(ended).scalar_one() == 2
    for _ in range(3):
        takes_writes(database)
    database.close()
    other.close()


def takes_writes(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(text("SELECT 1"))


def test_through_pgbouncer_each_transaction_brings_its_timeouts_and_leaves_nothing(url: str) -> None:
    database = Database(through_pgbouncer(url), lock_timeout_seconds=1.5, pool_size=1)
    for _ in range(10):  # psycopg prepares what it executes a sixth time
        with database.begin() as connection:
            connection.execute(select(Bell.queue)).all()
            assert connection.execute(text("SHOW lock_timeout")).scalar_one() == "1500ms"
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        assert connection.execute(text("SHOW lock_timeout")).scalar_one() == "0"
        assert connection.execute(text("SELECT count(*) FROM pg_prepared_statements")).scalar_one() == 0
    database.close()


def test_a_word_about_pgbouncer_that_is_not_known_is_refused(url: str) -> None:
    with pytest.raises(SettingsInvalid, match="write pgbouncer=true or leave it out"):
        Database(through_pgbouncer(url).replace("=true", "=session"))


def test_tables_are_not_changed_through_pgbouncer(url: str) -> None:
    with pytest.raises(SettingsInvalid, match="give the URL of the server itself"):
        migrations.upgrade(through_pgbouncer(url))


def test_ids_of_a_host_whose_clock_is_wrong_tell_the_time_of_the_database(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identifiers, "_last", 0)
    monkeypatch.setattr(identifiers, "_ahead_of_steady_ns", None)
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000_000)
    assert seconds_of(identifiers.new_id()) == 1.0
    database = Database(url)
    with database.read() as connection:
        assert seconds_of(identifiers.new_id()) == pytest.approx(clock_of(connection), abs=60)
    database.close()


def seconds_of(identifier: UUID) -> float:
    return (identifier.int >> 80) / 1000
