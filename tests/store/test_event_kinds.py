"""Each move of a job is named in the event log by one word for programs."""

from uuid import UUID

import pytest

from gradyard.jobs.events import EventKind
from gradyard.jobs.settings import Settings
from gradyard.jobs.states import Reason
from gradyard.store import lifecycle, queries
from gradyard.store.database import Database
from tests.actors import claimed, expires, fails, submitted, succeeds, worker_of

NO_WAY_BACK = {"submitted", "released", "claimed", "succeeded", "failed", "cancelled"}


def kinds_of(database: Database, job: UUID) -> list[str]:
    with database.read() as connection:
        return [event.kind for event in queries.events_of(connection, 1, job)[0]]


def test_a_job_that_succeeds(database: Database, settings: Settings) -> None:
    job = submitted(database, settings)
    succeeds(database, claimed(database, worker_of(database)))
    assert kinds_of(database, job) == ["submitted", "claimed", "succeeded"]


def test_a_job_that_fails(database: Database, settings: Settings) -> None:
    job = submitted(database, settings)
    fails(database, claimed(database, worker_of(database)))
    assert kinds_of(database, job) == ["submitted", "claimed", "failed"]


def test_a_job_that_is_cancelled_while_it_waits_and_one_while_it_runs(database: Database, settings: Settings) -> None:
    waiting = submitted(database, settings)
    with database.begin() as connection:
        lifecycle.request_cancel(connection, waiting, actor="ada")
    running = submitted(database, settings)
    member = claimed(database, worker_of(database)).members[0]
    with database.begin() as connection:
        lifecycle.request_cancel(connection, running, actor="ada")
        lifecycle.cancel_by_worker(connection, member.held, actor="worker")
    assert kinds_of(database, waiting) == ["submitted", "cancelled"]
    assert kinds_of(database, running) == ["submitted", "claimed", "cancelled"]


@pytest.mark.parametrize("kind", sorted(set(EventKind) - NO_WAY_BACK))
def test_a_job_that_goes_back_into_the_queue_says_why(database: Database, settings: Settings, kind: str) -> None:
    job = submitted(database, settings)
    member = claimed(database, worker_of(database)).members[0]
    with database.begin() as connection:
        lifecycle.hand_back(connection, member.held, actor="worker", detail="words", kind=EventKind(kind))
    assert kinds_of(database, job) == ["submitted", "claimed", kind]


def test_a_hand_back_of_a_job_with_a_cancel_mark_cancels_it(database: Database, settings: Settings) -> None:
    job = submitted(database, settings)
    member = claimed(database, worker_of(database)).members[0]
    with database.begin() as connection:
        lifecycle.request_cancel(connection, job, actor="ada")
        lifecycle.hand_back(connection, member.held, actor="worker", detail="the worker stops")
    assert kinds_of(database, job)[-1] == "cancelled"


def test_a_lost_lease_a_dead_worker_and_a_released_claim(database: Database, settings: Settings) -> None:
    job, worker = submitted(database, settings), worker_of(database)
    claimed(database, worker, lease=-1.0)
    with database.begin() as connection:
        expires(connection)
    claimed(database, worker)
    successor = worker_of(database)
    with database.begin() as connection:
        lifecycle.hand_back_slot(connection, successor)
    claim = claimed(database, successor)
    with database.begin() as connection:
        lifecycle.release(connection, claim.id, actor="worker")
    assert kinds_of(database, job)[1::2] == ["claimed", "claimed", "claimed"]
    assert kinds_of(database, job)[2::2] == ["lease_lost", "worker_died", "claim_released"]


def test_a_job_that_kills_its_workers_fails_after_the_last_one(database: Database, settings: Settings) -> None:
    job, worker = submitted(database, settings), worker_of(database)
    for _ in range(10):
        claimed(database, worker, lease=-1.0)
        with database.begin() as connection:
            expires(connection)
    assert kinds_of(database, job)[-2:] == ["claimed", "failed"]
    with database.read() as connection:
        assert queries.job_by_id(connection, 1, job).reason == Reason.POISON


def test_events_of_an_older_version_have_no_kind(database: Database, settings: Settings) -> None:
    job = submitted(database, settings)
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE job_events SET kind = NULL")
    assert kinds_of(database, job) == [None]
