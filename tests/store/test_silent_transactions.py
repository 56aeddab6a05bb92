"""A process that stops inside a transaction keeps its locks: what the others do meanwhile, and how it ends."""

import time

import pytest
from sqlalchemy import select, text

from gradyard.jobs.settings import Settings
from gradyard.jobs.states import State
from gradyard.store import lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.tables import Claim, Job
from tests.actors import claimed, progress_of, silent_record, submitted, worker_of

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def state_of(database: Database, job_id: object) -> State | None:
    with database.read() as connection:
        return queries.state_of(connection, 1, job_id)  # type: ignore[arg-type]


def expire_each(database: Database) -> None:
    """As maintenance does it."""
    with database.read() as connection:
        claims = lifecycle.expired_claims(connection)
    for claim in claims:
        with database.begin() as connection:
            lifecycle.expire_claim(connection, claim, actor="maintenance")


def end_silent_transactions(database: Database) -> None:
    silent = "state LIKE 'idle in transaction%' AND datname = current_database()"
    with database.read() as connection:
        ended = text(f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {silent}")
        assert connection.execute(ended).scalar_one() == 1


@on_postgresql
def test_other_leases_end_while_a_worker_stands_in_a_record(database: Database, settings: Settings) -> None:
    submitted(database, settings, steps=3)
    held = claimed(database, worker_of(database, "cpu-0"), lease=-2.0)
    others = []
    for number in (1, 2):
        others.append(submitted(database, settings, steps=3 + number))
        claimed(database, worker_of(database, f"cpu-{number}"), lease=-1.0)
    with silent_record(database, held, seconds=600.0):
        expire_each(database)  # to wait for that transaction would take too long for a lock
        assert [state_of(database, job) for job in others] == [State.QUEUED] * 2
        assert state_of(database, held.members[0].id) is State.RUNNING
        end_silent_transactions(database)
        with database.begin() as connection:
            connection.execute(select(Job.id).where(Job.id == held.members[0].id).with_for_update())
    expire_each(database)
    assert state_of(database, held.members[0].id) is State.QUEUED


@on_postgresql
def test_a_claim_that_is_being_renewed_is_not_waited_for(database: Database, settings: Settings) -> None:
    submitted(database, settings)
    held = claimed(database, worker_of(database, "cpu-0"), lease=-1.0)
    with database.begin() as connection:
        connection.execute(select(Claim.id).where(Claim.id == held.id).with_for_update())
        expire_each(database)  # to wait for this one would take too long for a lock
    assert state_of(database, held.members[0].id) is State.RUNNING
    expire_each(database)
    assert state_of(database, held.members[0].id) is State.QUEUED


@on_postgresql
def test_the_server_ends_a_silent_transaction_within_seconds(database: Database, settings: Settings) -> None:
    job_id = submitted(database, settings)
    claim = claimed(database, worker_of(database))
    begin = time.monotonic()
    with silent_record(database, claim):
        with database.begin() as connection:  # waits for its lock
            connection.execute(select(Job.id).where(Job.id == job_id).with_for_update())
        assert 4.0 < time.monotonic() - begin < 60
    with database.begin() as connection:  # nothing of it was stored, and the same record goes on
        assert lifecycle.record(connection, progress_of(claim.members[0], [4.0, 3.0]))
