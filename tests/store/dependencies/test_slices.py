"""Thousands of jobs that wait for one end move in slices, and what is interrupted goes on from the rows."""

from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from gradyard.jobs.settings import Settings
from gradyard.jobs.states import State
from gradyard.store import lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.lifecycle.dependencies import decide, release
from gradyard.store.tables import Batch, Job
from gradyard.store.upkeep.waits import end_waits
from tests.actors import claimed, submitted, worker_of
from tests.store.dependencies.pipelines import (
    after,
    batch_after,
    claims,
    ended,
    ends,
    follow,
    members_of,
    row_of,
    states_of,
)
from tests.store.test_batches import stored


def blocked(database: Database) -> int:
    """How many jobs wait for others."""
    with database.read() as connection:
        return int(connection.execute(select(func.count()).where(Job.queue == "blocked")).scalar_one())


def test_a_batch_is_released_slice_by_slice(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "_blocked", release._blocked.limit(3))
    monkeypatch.setattr(release, "SLICE", 3)
    first = submitted(database, settings)
    batch_after(database, first, size=8)
    ends(database, first)
    with database.begin() as connection:
        assert lifecycle.decide_some(connection)
    left = []
    for _ in range(3):
        with database.begin() as connection:
            assert lifecycle.move_some(connection, actor="test").more
        left.append(blocked(database))
    assert left == [5, 2, 0]
    assert follow(database) == {}, "the last slice closed the wait"


def test_what_one_process_left_is_done_by_the_next(database: Database, settings: Settings) -> None:
    first = submitted(database, settings)
    batch = batch_after(database, first, size=4)
    last = after(database, settings, batch.batch_id)
    ends(database, first, state=State.FAILED)
    with database.begin() as connection:
        assert lifecycle.decide_some(connection)  # and it is killed
    assert states_of(database, last) == ["queued"]
    follow(database)
    assert set(states_of(database, *members_of(database, batch), last)) == {"failed"}


def test_a_failure_goes_down_a_chain_in_steps(database: Database, settings: Settings) -> None:
    chain = [submitted(database, settings)]
    for _ in range(20):
        chain.append(after(database, settings, chain[-1]))
    ends(database, chain[0], state=State.FAILED)
    assert end_waits(database, 0.0, actor="test") == {}
    assert states_of(database, chain[1], chain[-1]) == ["failed", "queued"], "one step, as its time was over"
    follow(database)
    assert set(states_of(database, *chain)) == {"failed"}


def test_more_waits_than_one_look_finds_are_all_decided(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decide, "_decided", decide._decided.limit(2))
    monkeypatch.setattr(decide, "WAITS", 2)
    first, other = submitted(database, settings), submitted(database, settings)
    jobs = [after(database, settings, first) for _ in range(5)]
    both = after(database, settings, first, other)
    ends(database, first)
    assert follow(database) == {"cpu": 5}
    assert [row_of(database, each).queue for each in (*jobs, both)] == [*["cpu"] * 5, "blocked"]
    ends(database, other)
    assert follow(database) == {"cpu": 1}


def test_nothing_is_looked_at_twice(database: Database, settings: Settings) -> None:
    first = submitted(database, settings)
    batch = batch_after(database, first)
    after(database, settings, ended(batch.batch_id))
    ends(database, first)
    follow(database)
    with database.snapshot() as connection:
        marks = [connection.execute(select(func.count()).where(table.followed)).scalar_one() for table in (Job, Batch)]
        assert not lifecycle.waits_to_decide(connection)
        assert not lifecycle.waits_to_end(connection)
    assert marks == [0, 1], "the batch has not ended"


def test_an_end_by_an_older_version_is_heard_of(database: Database, settings: Settings) -> None:
    first = submitted(database, settings)
    job = after(database, settings, first)
    with database.begin() as connection:
        connection.execute(text("UPDATE jobs SET state = 'succeeded', finished_at = 7.0 WHERE queue = 'cpu'"))
    assert follow(database) == {"cpu": 1}
    assert row_of(database, job).queue == "cpu"


def test_a_job_that_waits_for_others_is_no_backlog(database: Database, settings: Settings) -> None:
    first = submitted(database, settings)
    batch_after(database, first, size=50, steps=1000)
    for _ in range(3):
        after(database, settings, first, steps=1_000_000)
    behind = submitted(database, settings)
    row, leader = row_of(database, behind), row_of(database, first)
    assert row.rank == pytest.approx(leader.rank + leader.share_seconds)
    assert row.share_seconds == pytest.approx(row.cost_seconds), "one flow, that of single jobs"


def test_a_released_job_gets_its_place_at_its_release(database: Database, settings: Settings) -> None:
    first = submitted(database, settings)
    batch = batch_after(database, first, steps=1000)
    waiting = stored(database, {"spec": {"stage": "tensor", "steps": 9}, "grid": {"seed": {"stop": 3}}})
    ends(database, first)
    follow(database)
    ranks = [row_of(database, job).rank for job in members_of(database, batch)]
    assert ranks == sorted(set(ranks)), "one behind the other"
    assert ranks[0] >= row_of(database, members_of(database, waiting)[0]).rank


def test_the_queue_cap_counts_jobs_that_wait_for_others(database: Database, settings: Settings) -> None:
    first = submitted(database, settings)
    batch_after(database, first, size=4)
    with database.read() as connection:
        depths = {each.queue: each.depth for each in queries.queue_depths(connection, 1)}
    assert depths == {"cpu": 1, "gpu": 0, "any": 0, "blocked": 4}


def test_a_claim_of_one_shape_finds_no_job_that_waits_for_others(database: Database, settings: Settings) -> None:
    worker = worker_of(database)
    first = submitted(database, settings)
    batch_after(database, first, size=20)
    assert [member.id for member in claimed(database, worker).members] == [first]
    assert claims(database, worker) == []
    ids: set[UUID] = set()
    ends(database, first)
    follow(database)
    while found := claims(database, worker):
        ids |= set(found)
    assert len(ids) == 20
