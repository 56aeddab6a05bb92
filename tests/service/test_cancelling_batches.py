"""A batch is cancelled whatever else happens to its jobs, or the answer says that some stay locked; it never spins."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import exc, select

from gradyard.store import silent
from gradyard.store.database import Database
from gradyard.store.tables import Job

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite locks no rows


@pytest.fixture
def batch(client: FlaskClient) -> str:
    """The path of a batch of six jobs that wait."""
    sweep = {"spec": {"stage": "nn", "steps": 4}, "grid": {"seed": {"stop": 6}}}
    return str(client.post("/v1/batches", json=sweep).headers["Location"])


def counts(client: FlaskClient, batch: str) -> dict[str, int]:
    shown: Any = client.get(batch).json
    return {state: count for state, count in shown["counts"].items() if count}


@contextmanager
def a_locked_job(database: Database, seconds: float) -> Iterator[None]:
    """Lock one job in a transaction that is at work for so many seconds, or until the block ends."""
    locked, other = threading.Event(), Database(database.url)
    connection = other.engine.connect()

    def hold() -> None:
        with suppress(exc.OperationalError), connection.begin():
            connection.execute(select(Job.id).order_by(Job.id).limit(1).with_for_update())
            locked.set()
            connection.exec_driver_sql(f"SELECT pg_sleep({seconds})")

    holder = threading.Thread(target=hold)
    holder.start()
    assert locked.wait(10)
    try:
        yield
    finally:
        connection.connection.driver_connection.cancel()  # type: ignore[union-attr]  # psycopg's
        holder.join()
        connection.close()
        other.close()


@on_postgresql
def test_a_batch_with_a_locked_job_is_cancelled_when_that_is_free(
    client: FlaskClient, database: Database, batch: str
) -> None:
    with a_locked_job(database, 0.5):
        answer: Any = client.post(f"{batch}/cancel")
    assert (answer.status_code, answer.json["counts"]["cancelled"]) == (200, 6)


@on_postgresql
def test_a_batch_with_a_job_that_stays_locked_is_answered_503_and_its_other_jobs_are_cancelled(
    client: FlaskClient, database: Database, batch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silent, "SILENT_TRANSACTION_SECONDS", 0.5)
    with a_locked_job(database, 20.0):
        begin = time.monotonic()
        answer = client.post(f"{batch}/cancel")
        assert time.monotonic() - begin < 60
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert counts(client, batch) == {"queued": 1, "cancelled": 5}
    assert client.post(f"{batch}/cancel").status_code == 200
    assert counts(client, batch) == {"cancelled": 6}


def left() -> dict[str, Any]:
    """The environment of a request whose client has closed its connection."""
    return {"waitress.client_disconnected": lambda: True}


def waits() -> dict[str, Any]:
    """The environment of a request whose client waits for the answer."""
    return {"waitress.client_disconnected": lambda: False}


def test_a_request_whose_client_has_left_stops(
    client: FlaskClient, batch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradyard.store.lifecycle.cancel.CANCEL_SLICE", 2)
    gone = left()
    client.post(f"{batch}/cancel", environ_overrides=gone)
    assert counts(client, batch) == {"queued": 6}
    still_there = waits()
    assert client.post(f"{batch}/cancel", environ_overrides=still_there).status_code == 200
    assert counts(client, batch) == {"cancelled": 6}
    client.delete(batch, environ_overrides=gone)
    assert counts(client, batch) == {"cancelled": 6}
