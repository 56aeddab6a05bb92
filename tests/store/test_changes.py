"""Whether anything was committed, asked without a table: by what waits for the commits of others."""

from collections.abc import Iterator

import pytest
from sqlalchemy import event, text, update

from gradyard.jobs.errors import DatabaseUnavailable
from gradyard.jobs.settings import Settings
from gradyard.store import changes as store_changes
from gradyard.store.changes import Changes, changes_of
from gradyard.store.database import Database
from gradyard.store.tables import Job
from tests.actors import submitted
from tests.stack.until import until


@pytest.fixture
def changes(database: Database) -> Iterator[Changes]:
    """Asked until nothing is new: on PostgreSQL the commits of other tests are changes, too."""
    with changes_of(database) as changes:
        until(lambda: not changes.have_come())
        yield changes


def test_a_commit_of_another_connection_is_a_change_once(
    changes: Changes, database: Database, settings: Settings
) -> None:
    for _ in range(3):
        submitted(database, settings)
        assert changes.have_come()
        until(lambda: not changes.have_come())


def test_what_is_not_committed_yet_is_told_when_it_is(changes: Changes, database: Database, settings: Settings) -> None:
    job = submitted(database, settings)
    with database.begin() as connection:
        connection.execute(update(Job).where(Job.id == job).values(priority=3))
        until(lambda: not changes.have_come())
    assert changes.have_come()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_end_of_the_older_of_two_transactions_is_a_change(
    changes: Changes, database: Database, settings: Settings
) -> None:
    first, second = submitted(database, settings), submitted(database, settings)
    with database.begin() as older:
        older.execute(update(Job).where(Job.id == first).values(priority=3))
        with database.begin() as younger:
            younger.execute(update(Job).where(Job.id == second).values(priority=3))
        until(lambda: not changes.have_come())
    assert changes.have_come()


def test_readings_are_none(changes: Changes, database: Database) -> None:
    def is_quiet() -> bool:
        for _ in range(5):
            with database.read() as connection, database.snapshot() as other:
                for each in (connection, other):
                    each.execute(text("SELECT count(*) FROM jobs"))
            if changes.have_come():
                return False
        return True

    until(is_quiet)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_connection_that_was_lost_is_made_anew(
    changes: Changes, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_changes, "AGAIN_SECONDS", 0.0)
    with database.begin() as connection:
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_current_snapshot%'"
        mine = " AND datname = current_database() AND pid <> pg_backend_pid()"
        assert connection.execute(text(ended + mine)).scalars().all() == [True]
    assert changes.have_come(), "it cannot tell"
    until(lambda: not changes.have_come())
    submitted(database, settings)
    assert changes.have_come()


def test_where_the_database_is_away_it_cannot_tell_and_tries_to_connect_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store_changes, "AGAIN_SECONDS", 600.0)
    away, tries = Database("postgresql://gradyard@127.0.0.1:1/away"), list[int]()
    event.listen(away.engine, "do_connect", lambda *_: tries.append(1))
    with changes_of(away) as changes:
        assert [changes.have_come() for _ in range(5)] == [True] * 5
    assert len(tries) == 1
    with pytest.raises(DatabaseUnavailable), away.read():
        pass
    away.close()
