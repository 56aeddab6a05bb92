"""Maintenance on real databases and a real Redis: expired leases, lost bells."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis

from gradyard.broker import when_to_ring
from gradyard.jobs.settings import Settings, load
from gradyard.jobs.states import State
from gradyard.store import queries
from gradyard.store.database import Database
from tests.actors import claimed, submitted, worker_of
from tests.servers import RedisServer
from workers.maintenance import Maintenance

REDIS_DATABASE = 5


@pytest.fixture
def broker(redis_server: RedisServer) -> Iterator[redis.Redis]:
    """A Redis database of this file's own, empty."""
    client = redis.Redis.from_url(redis_server.of(REDIS_DATABASE))
    client.flushdb()
    yield client
    client.close()


@pytest.fixture
def settings(database_url: str, redis_server: RedisServer, tmp_path: Path) -> Settings:
    """Settings with a Redis that is there."""
    return load(database_url=database_url, redis_url=redis_server.of(REDIS_DATABASE), state_dir=tmp_path)


@pytest.fixture
def maintenance(settings: Settings) -> Iterator[Maintenance]:
    """One maintenance process's work, done in this one."""
    here = Maintenance(settings)
    yield here
    here.close()


def test_a_job_whose_lease_expired_is_queued_again_and_rung_for(
    maintenance: Maintenance, database: Database, settings: Settings, broker: redis.Redis
) -> None:
    job = submitted(database, settings)
    claimed(database, worker_of(database, "cpu-0"), lease=-1.0)
    maintenance.tick()
    with database.read() as connection:
        assert queries.state_of(connection, 1, job) is State.QUEUED
    assert broker.llen("cpu") >= 1


def test_ten_maintenance_processes_at_once_do_what_one_does(database: Database, settings: Settings) -> None:
    job = submitted(database, settings)
    claimed(database, worker_of(database), lease=-1.0)
    ten = [Maintenance(settings) for _ in range(10)]
    with ThreadPoolExecutor(10) as threads:
        list(threads.map(lambda each: each.tick(), ten))
    for each in ten:
        each.close()
    with database.read() as connection:
        events = [event.to_state for event in queries.events_of(connection, 1, job)]
    assert events == ["queued", "running", "queued"]


def test_a_lost_bell_is_rung_again_when_a_slot_is_idle_and_not_twice(
    maintenance: Maintenance, database: Database, settings: Settings, broker: redis.Redis
) -> None:
    submitted(database, settings)
    maintenance.tick()
    assert broker.llen("cpu") == 0  # no worker would hear it
    worker_of(database, "cpu-0")
    worker_of(database, "cpu-1")
    maintenance.tick()
    assert broker.llen("cpu") == 2  # one an idle slot
    maintenance.tick()
    assert broker.llen("cpu") == 2


def test_a_job_that_no_idle_slot_can_take_does_not_wear_out_the_bell(database: Database, settings: Settings) -> None:
    worker_of(database)
    submitted(database, settings, pool="nowhere")
    with database.begin() as connection:
        assert not when_to_ring.due(connection, "cpu")
        when_to_ring.rung(connection, "cpu")
        assert when_to_ring.answered(connection, "cpu")
        connection.exec_driver_sql("UPDATE bells SET rung_at = rung_at - 60, silent_rings = 0")
    submitted(database, settings)
    with database.begin() as connection:
        assert when_to_ring.due(connection, "cpu")


def test_many_expired_leases_are_moved_in_slices(
    maintenance: Maintenance, database: Database, settings: Settings
) -> None:
    jobs = [submitted(database, settings, steps=3 + number // 60) for number in range(180)]
    for number in range(3):
        claimed(database, worker_of(database, f"cpu-{number}"), lease=-1.0)
    with database.read() as connection:
        packs = connection.exec_driver_sql("SELECT width FROM claims").scalars().all()
    maintenance.tick()
    with database.read() as connection:
        states = [queries.state_of(connection, 1, job) for job in jobs]
        assert connection.exec_driver_sql("SELECT count(*) FROM claims").scalar_one() == 0
    assert sum(packs) > 100
    assert states == [State.QUEUED] * len(jobs)


def test_bells_that_are_not_answered_come_less_and_less_often(database: Database, settings: Settings) -> None:
    submitted(database, settings)
    worker = worker_of(database)
    with database.begin() as connection:
        assert when_to_ring.due(connection, "cpu")
        when_to_ring.rung(connection, "cpu")
        connection.exec_driver_sql("UPDATE bells SET rung_at = rung_at - 6")
        assert not when_to_ring.due(connection, "cpu")  # ten seconds after the first silent ring
        connection.exec_driver_sql("UPDATE bells SET rung_at = rung_at - 5")
        assert when_to_ring.due(connection, "cpu")
        assert not when_to_ring.answered(connection, "cpu")
    claimed(database, worker)
    with database.begin() as connection:
        assert when_to_ring.answered(connection, "cpu")
        when_to_ring.reset_pause(connection, "cpu")
        assert not when_to_ring.answered(connection, "cpu")


def test_maintenance_that_slept_waits_a_lease_before_it_expires_others(
    maintenance: Maintenance, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submitted(database, settings)
    claimed(database, worker_of(database), lease=-1.0)
    monkeypatch.setattr(maintenance, "_last_tick_at", maintenance._last_tick_at - 60.0)
    maintenance.tick()
    with database.read() as connection:
        assert queries.state_of(connection, 1, job) is State.RUNNING
