"""A database that lost its last commits (a failover, a restore under live workers) leaves no hole in any history."""

import re
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, select

from gradyard.jobs.settings import Settings
from gradyard.store import lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.lifecycle import ClaimedJob, Outcome
from gradyard.store.tables import LossChunk
from tests.actors import claimed, progress_of, submitted, waits_for_a_lock, worker_of
from tests.snapshot import Snapshot
from tests.stack.until import until


def recorded(database: Database, member: ClaimedJob, losses: list[float], start_step: int) -> lifecycle.Recorded:
    with database.begin() as connection:
        return lifecycle.record_all(connection, [progress_of(member, losses, start_step)])


def chunks(database: Database, job: Any) -> list[tuple[int, int]]:
    with database.read() as connection:
        rows = connection.execute(
            select(LossChunk.start_step, LossChunk.steps).where(LossChunk.job_id == job).order_by(LossChunk.start_step)
        )
        return [(chunk.start_step, chunk.steps) for chunk in rows]


def test_a_record_beyond_what_the_database_has_is_refused(database: Database, settings: Settings) -> None:
    job = submitted(database, settings, steps=9)
    [member] = claimed(database, worker_of(database)).members
    assert recorded(database, member, [9.0, 8.0, 7.0], 0).stored == {job: 1}
    before = Snapshot(database, job)
    assert recorded(database, member, [6.0, 5.0, 4.0], 3).stored == {job: 1}
    before.put_back()
    third = recorded(database, member, [3.0, 2.0, 1.0], 6)
    assert (third.stored, third.displaced) == ({}, {job: 3})
    assert chunks(database, job) == [(0, 3)]
    with database.begin() as connection:
        assert lifecycle.hand_back(connection, member.held, actor="worker", detail="x")
    again = claimed(database, worker_of(database, "cpu-1"))
    assert (again.start_step, again.members[0].attempt) == (3, 2)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_record_that_waits_while_the_database_loses_others_is_told_what_is_there(
    database: Database, settings: Settings
) -> None:
    job = submitted(database, settings, steps=9)
    [member] = claimed(database, worker_of(database)).members
    recorded(database, member, [9.0, 8.0, 7.0], 0)
    before = Snapshot(database, job)
    recorded(database, member, [6.0, 5.0, 4.0], 3)
    with ThreadPoolExecutor(1) as worker:
        third: list[Future[lifecycle.Recorded]] = []

        @event.listens_for(database.engine, "before_cursor_execute")
        def record_meanwhile(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if not third and re.match(r"(INSERT INTO|UPDATE) claims", statement):
                third.append(worker.submit(recorded, database, member, [3.0, 2.0, 1.0], 6))
                until(lambda: waits_for_a_lock(database))

        before.put_back()
    assert (third[0].result().stored, third[0].result().displaced) == ({}, {job: 3})


def test_what_was_told_before_may_be_told_again_with_more(database: Database, settings: Settings) -> None:
    job = submitted(database, settings, steps=9)
    [member] = claimed(database, worker_of(database)).members
    for losses in ([9.0, 8.0], [9.0, 8.0], [9.0, 8.0, 7.0]):
        assert recorded(database, member, losses, 0).stored == {job: 1}
    assert chunks(database, job) == [(0, 3)]


@pytest.mark.parametrize(("losses", "start_step"), [([9.0, 0.5, 7.0], 0), ([8.0], 1), ([1.0], 3), ([9.0], 0)])
def test_other_losses_of_the_same_steps_are_refused(
    database: Database, settings: Settings, losses: list[float], start_step: int
) -> None:
    job = submitted(database, settings, steps=9)
    [member] = claimed(database, worker_of(database)).members
    recorded(database, member, [9.0, 8.0], 0)
    told = recorded(database, member, losses, start_step)
    assert (told.stored, told.displaced) == ({}, {job: 2})
    assert chunks(database, job) == [(0, 2)]


def test_of_two_workers_with_the_same_attempt_only_the_one_whose_claim_is_there_writes(
    database: Database, settings: Settings
) -> None:
    job = submitted(database, settings, steps=3)
    before = Snapshot(database, job)
    [first] = claimed(database, worker_of(database)).members
    before.put_back()  # its claim is lost, and the job is queued
    [second] = claimed(database, worker_of(database, "cpu-1")).members
    assert (first.attempt, second.attempt) == (1, 1)
    outcome = Outcome({"a": 1.0}, None, {})
    with database.begin() as connection:
        progress = progress_of(first, [9.0, 8.0, 7.0])
        assert lifecycle.record_all(connection, [progress]) == lifecycle.Recorded({}, {})
        assert not lifecycle.succeed(connection, first.held, outcome, actor="first")
        assert not lifecycle.hand_back(connection, first.held, actor="first", detail="x")
        assert not lifecycle.cancel_by_worker(connection, first.held, actor="first")
        assert not lifecycle.rewind(connection, first.held, 0)
        assert not lifecycle.keep_log(connection, first.held, "x", truncated=False)
        assert lifecycle.record(connection, replace(progress, held=second.held))
        assert lifecycle.succeed(connection, second.held, outcome, actor="second")
    with database.read() as connection:
        assert queries.job_by_id(connection, 1, job).state == "succeeded"
