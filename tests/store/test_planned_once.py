"""SQLite plans each statement in the life of a job once a connection, and not anew for each value that is bound.

It does so where a bare parameter is compared with a column that the condition of a partial index names.
"""

from typing import Any

import pytest
from sqlalchemy import event, text

from gradyard.jobs.settings import Settings
from gradyard.store import fleet, lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.fleet import WorkerInfo
from tests.actors import claimed, expires, submitted, succeeds, worker_of

LIVES = 6
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def planned_anew(database: Database) -> dict[str, int]:
    """How often the connections of the pool planned each statement once more, filled as they go back to the pool."""
    found: dict[str, int] = {}

    @event.listens_for(database.engine, "checkin")
    def look(connection: Any, _: Any) -> None:
        found.update(connection.execute("SELECT sql, reprep FROM sqlite_stmt WHERE reprep > 2"))

    with database.read() as connection:
        if not connection.exec_driver_sql("PRAGMA compile_options").scalars().all().count("ENABLE_STMTVTAB"):
            pytest.skip("this SQLite does not tell how often it planned a statement")
    return found


def test_a_statement_in_the_life_of_a_job_is_planned_once(
    database: Database, settings: Settings, planned_anew: dict[str, int]
) -> None:
    worker = worker_of(database)
    for seed in range(LIVES):
        submitted(database, settings, seed=seed, device="auto")
        submitted(database, settings, seed=seed, priority=7)
        assert_looked_for(database, worker)
        lives(database, worker)
    assert planned_anew == {}


def test_a_statement_about_a_lost_worker_is_planned_once(
    database: Database, settings: Settings, planned_anew: dict[str, int]
) -> None:
    for seed in range(LIVES):
        submitted(database, settings, seed=seed)
        claimed(database, worker_of(database, slot=f"cpu-{seed}"), lease=-1.0)
        with database.begin() as connection:
            assert expires(connection) == 1
    assert planned_anew == {}


def test_a_bare_parameter_is_seen(database: Database, planned_anew: dict[str, int]) -> None:
    bare = text("SELECT id FROM jobs WHERE state = 'queued' AND queue = :queue ORDER BY rank")
    for _ in range(LIVES):
        with database.read() as connection:
            connection.execute(bare, {"queue": "cpu"}).all()
    assert [count for count in planned_anew.values() if count >= LIVES - 1]


def assert_looked_for(database: Database, worker: WorkerInfo) -> None:
    with database.read() as connection:
        assert fleet.something_to_claim(connection, worker.capabilities)


def lives(database: Database, worker: WorkerInfo) -> None:
    """Let the worker train what waits."""
    while True:
        with database.begin() as connection:
            claim = lifecycle.claim(connection, worker, 15.0)
        if claim is None:
            return
        with database.read() as connection:
            assert queries.cancelled_members(connection, claim.id) == []
        succeeds(database, claim)
