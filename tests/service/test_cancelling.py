"""A cancel ends within a second, in every state, whatever the worker does."""

import threading
import time
from collections.abc import Collection
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from gradyard.jobs.settings import Settings
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.tables import Job
from service.live.watcher import Watcher
from tests.actors import (
    claimed,
    fails,
    nothing_else,
    progress_of,
    silent_record,
    submitted,
    succeeds,
    worker_of,
)
from tests.stack.until import until

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def cancel(client: FlaskClient, job_id: object) -> Any:
    return client.post(f"/v1/jobs/{job_id}/cancel")


def details(client: FlaskClient, job_id: object) -> list[str | None]:
    events: Any = client.get(f"/v1/jobs/{job_id}/events").json
    return [event["detail"] for event in events["events"]]


def is_marked(database: Database, job_id: UUID) -> bool:
    """Whether the request to cancel has come as far as the job's row."""
    with database.read() as connection:
        return connection.execute(select(Job.cancel_requested_at).where(Job.id == job_id)).scalar() is not None


def test_a_queued_job_is_cancelled_at_once(client: FlaskClient, database: Database, settings: Settings) -> None:
    job_id = submitted(database, settings)
    response = cancel(client, job_id)
    assert (response.status_code, response.json["state"]) == (200, "cancelled")
    assert details(client, job_id)[-1] == "while queued"


def test_a_running_job_is_cancelled_by_its_worker(
    client: FlaskClient, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.routes.jobs.CANCEL_SECONDS", 60.0)
    job_id = submitted(database, settings)
    [member] = claimed(database, worker_of(database)).members

    def let_go() -> None:
        until(lambda: is_marked(database, job_id))
        with database.begin() as connection:
            lifecycle.cancel_by_worker(connection, member.held, actor="worker")

    worker = threading.Thread(target=let_go)
    begin = time.monotonic()
    worker.start()
    response = cancel(client, job_id)
    seconds = time.monotonic() - begin
    worker.join()
    assert (response.status_code, response.json["state"], seconds < 30) == (200, "cancelled", True)
    assert details(client, job_id)[-1] == "while running"


def test_a_running_job_of_a_silent_worker_is_cancelled_within_a_second(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job_id = submitted(database, settings)
    [member] = claimed(database, worker_of(database)).members
    begin = time.monotonic()
    response = cancel(client, job_id)
    assert (response.status_code, response.json["state"]) == (200, "cancelled")
    assert 0.7 <= time.monotonic() - begin < 60
    assert details(client, job_id)[-1] == "worker silent"
    with database.begin() as connection:  # the worker wakes up, too late
        assert not lifecycle.cancel_by_worker(connection, member.held, actor="worker")


@on_postgresql
def test_a_job_whose_worker_stands_in_a_record_is_cancelled_within_a_second(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job_id = submitted(database, settings)
    with silent_record(database, claimed(database, worker_of(database)), seconds=600.0):
        response = cancel(client, job_id)  # 503 where it waits until the server ends that transaction
        assert (response.status_code, response.json["state"]) == (200, "cancelled")
    assert details(client, job_id)[-1] == "worker silent"


@on_postgresql
def test_a_worker_that_stops_in_a_record_after_the_mark_does_not_keep_its_job(
    client: FlaskClient, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    stands_in_a_record, jobs_end = threading.Event(), Watcher.jobs_end

    def noted(watcher: Watcher, project_id: int, job_ids: Collection[UUID], _: float) -> bool:
        stands_in_a_record.wait()
        return jobs_end(watcher, project_id, job_ids, 0.0)

    monkeypatch.setattr(Watcher, "jobs_end", noted)
    job_id = submitted(database, settings)
    claim, answers = claimed(database, worker_of(database)), list[Any]()
    asking = threading.Thread(target=lambda: answers.append(cancel(client, job_id)))
    asking.start()
    until(lambda: is_marked(database, job_id))
    with silent_record(database, claim, seconds=600.0):
        stands_in_a_record.set()
        asking.join()
    [response] = answers
    assert (response.status_code, response.json["state"]) == (200, "cancelled")


@on_postgresql
def test_a_cancel_waits_for_a_record_that_is_being_written(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job_id = submitted(database, settings)
    claim = claimed(database, worker_of(database))

    def write_slowly() -> None:
        with database.begin() as connection:
            lifecycle.record(connection, progress_of(claim.members[0], [4.0, 3.0]))
            begun.set()
            connection.exec_driver_sql("SELECT pg_sleep(1)")

    begun, worker = threading.Event(), threading.Thread(target=write_slowly)
    worker.start()
    begun.wait()
    response = cancel(client, job_id)
    worker.join()
    assert (response.status_code, response.json["state"]) == (200, "cancelled")
    assert response.json["steps_done"] == 2, "the record was stored"


def test_a_job_that_ends_while_it_is_cancelled_stays_as_it_ended(
    client: FlaskClient, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.routes.jobs.CANCEL_SECONDS", 60.0)
    job_id = submitted(database, settings)
    claim = claimed(database, worker_of(database))

    def end() -> None:
        until(lambda: is_marked(database, job_id))
        succeeds(database, claim)

    worker = threading.Thread(target=end)
    worker.start()
    response = cancel(client, job_id)
    worker.join()
    assert (response.status_code, response.json["state"]) == (200, "succeeded")


@pytest.mark.parametrize("ending", [succeeds, fails])
def test_a_job_that_is_over_cannot_be_cancelled(
    client: FlaskClient, database: Database, settings: Settings, ending: Any
) -> None:
    job_id = submitted(database, settings)
    ending(database, claimed(database, worker_of(database)))
    with nothing_else(database):
        response = cancel(client, job_id)
    assert (response.status_code, response.json["type"]) == (409, "illegal_move")


def test_a_second_cancel_finds_the_job_cancelled(client: FlaskClient, database: Database, settings: Settings) -> None:
    job_id = submitted(database, settings)
    cancel(client, job_id)
    with nothing_else(database):
        response = cancel(client, job_id)
    assert (response.status_code, response.json["state"]) == (200, "cancelled")


def test_what_is_no_job_cannot_be_cancelled(client: FlaskClient) -> None:
    assert cancel(client, uuid4()).status_code == 404
    assert cancel(client, "x").status_code == 404
