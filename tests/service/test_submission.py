"""A submission holds the write lock for its rows only; a failure after the commit does not lose the answer."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, func, select

from gradyard.jobs.errors import DatabaseUnavailable
from gradyard.store import fleet, queries
from gradyard.store.database import Database
from gradyard.store.tables import Job

SWEEP = {"spec": {"stage": "tensor"}, "grid": {"seed": [1, 2]}}
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def stored(database: Database) -> int:
    """How many jobs another connection sees."""
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(Job)).scalar_one())


def test_the_reason_for_waiting_is_read_after_the_commit(
    client: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, workers_seen = [], queries.workers_seen

    def look(connection: Connection) -> Any:
        seen.append(stored(database))
        return workers_seen(connection)

    monkeypatch.setattr(queries, "workers_seen", look)
    job: Any = client.post("/v1/jobs", json={"stage": "tensor"}).json
    assert (job["waiting"]["reason"], seen) == ("no cpu worker is alive", [1])


def test_a_reason_that_cannot_be_read_is_left_out(
    client: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(connection: Connection) -> Any:
        raise DatabaseUnavailable("it went away")

    monkeypatch.setattr(queries, "workers_seen", fail)
    response = client.post("/v1/jobs", json={"stage": "tensor"})
    assert (response.status_code, response.get_json()["waiting"], stored(database)) == (202, None, 1)


def test_the_idle_slots_of_a_batch_are_read_outside_its_write_lock(
    client: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked, idle_slots = [], fleet.idle_slots

    def look(connection: Connection) -> Any:
        with database.begin() as other:  # waits, and raises, while another connection writes
            locked.append(other.in_transaction())
        return idle_slots(connection)

    monkeypatch.setattr(fleet, "idle_slots", look)
    assert client.post("/v1/batches", json=SWEEP).status_code == 202
    assert locked == [True]
