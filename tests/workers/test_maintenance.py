"""Maintenance on real databases and a real Redis: expired leases, lost bells."""

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
import redis
from sqlalchemy import Connection, select

from gradyard.broker import when_to_ring
from gradyard.jobs.errors import DatabaseUnavailable
from gradyard.jobs.settings import Settings, load
from gradyard.jobs.states import State
from gradyard.store import lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.dialects import clock_of
from gradyard.store.tables import Worker
from gradyard.store.upkeep import old_rows
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
    places = {"database_url": database_url, "redis_url": redis_server.of(REDIS_DATABASE), "state_dir": tmp_path}
    return load(bell_timeout_seconds=60.0, **places)


@dataclass
class SteppedClock:
    """The database's clock, put forward by `step` seconds as maintenance sees it; or `stands_at`, and by `step`."""

    step: float = 0.0
    stands_at: float | None = None

    def __call__(self, connection: Connection) -> float:
        """Read it."""
        return (clock_of(connection) if self.stands_at is None else self.stands_at) + self.step

    def stand(self, database: Database) -> None:
        """Go on by `step` alone, however long a round takes here."""
        with database.read() as connection:
            self.stands_at = clock_of(connection)


@pytest.fixture
def clock() -> SteppedClock:
    """The clock by which the maintenance of this test judges leases."""
    return SteppedClock()


class Watchful(Maintenance):
    """Maintenance that had watched an even clock for longer than a lease when its first round here begins."""

    is_new = True

    def tick(self) -> None:
        """Do one round."""
        if self.is_new:
            with self._database.read() as connection:
                moment = clock_of(connection)
            for ago in range(math.ceil(self._settings.lease_seconds) + 1, -1, -1):
                self.clock_watch.is_even(moment - ago)
        self.is_new = False
        super().tick()


@pytest.fixture
def maintenance(settings: Settings, clock: SteppedClock) -> Iterator[Maintenance]:
    """One maintenance process's work, done in this one."""
    here = Watchful(settings, clock)
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


def test_a_job_whose_dependency_ended_elsewhere_is_released_and_rung_for(
    maintenance: Maintenance, database: Database, settings: Settings, broker: redis.Redis
) -> None:
    first = submitted(database, settings)
    job = submitted(database, settings, depends_on=[{"id": str(first), "condition": "ended"}])
    with database.begin() as connection:
        lifecycle.request_cancel(connection, first, actor="test")
    maintenance.tick()
    with database.read() as connection:
        assert queries.job_by_id(connection, 1, job).queue == "cpu"
    assert broker.llen("cpu") >= 1


def test_ten_maintenance_processes_at_once_do_what_one_does(database: Database, settings: Settings) -> None:
    job = submitted(database, settings)
    claimed(database, worker_of(database), lease=-1.0)
    ten = [Watchful(settings) for _ in range(10)]
    with ThreadPoolExecutor(10) as threads:
        list(threads.map(lambda each: each.tick(), ten))
    for each in ten:
        each.close()
    with database.read() as connection:
        events = [event.to_state for event in queries.events_of(connection, 1, job)[0]]
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


def test_a_job_is_not_taken_from_its_worker_when_the_clock_steps_forward(
    maintenance: Maintenance, database: Database, settings: Settings, clock: SteppedClock
) -> None:
    job = submitted(database, settings)
    claimed(database, worker_of(database))
    clock.step = 3600.0  # as it is after a sleep of the machine, or a stop of this process
    maintenance.tick()
    assert state_of(database, job) is State.RUNNING


def test_leases_that_expired_end_a_lease_after_a_step_forward(
    maintenance: Maintenance, database: Database, settings: Settings, clock: SteppedClock
) -> None:
    job = submitted(database, settings)
    claimed(database, worker_of(database), lease=-1.0)
    clock.stand(database)
    for passed in range(15):
        clock.step = 3600.0 + passed
        maintenance.tick()
        assert state_of(database, job) is State.RUNNING
    clock.step += 1.0
    maintenance.tick()
    assert state_of(database, job) is State.QUEUED


def test_leases_of_dead_workers_end_a_lease_after_a_step_back(
    maintenance: Maintenance, database: Database, settings: Settings, clock: SteppedClock
) -> None:
    job = submitted(database, settings)
    claimed(database, worker_of(database))
    clock.stand(database)
    for passed in range(17):
        clock.step = passed - 3600.0
        maintenance.tick()
    assert state_of(database, job) is State.QUEUED
    with database.read() as connection:
        assert connection.execute(select(Worker.lease_until)).scalar_one() < clock(connection)


def test_a_pause_of_a_job_does_not_last_as_long_as_a_step_back(
    maintenance: Maintenance, database: Database, settings: Settings, clock: SteppedClock
) -> None:
    job = submitted(database, settings)
    claim = claimed(database, worker_of(database))
    with database.begin() as connection:
        lifecycle.hand_back(connection, claim.members[0].held, actor="worker", detail="no runner", wait_seconds=5.0)
    clock.step = -3600.0
    maintenance.tick()
    with database.read() as connection:
        assert queries.job_by_id(connection, 1, job).not_before is None


def test_a_bell_is_rung_again_although_the_clock_was_set_back(database: Database, settings: Settings) -> None:
    submitted(database, settings)
    worker_of(database)
    with database.begin() as connection:
        when_to_ring.rung(connection, "cpu")
        assert not when_to_ring.due(connection, "cpu")
        connection.exec_driver_sql("UPDATE bells SET rung_at = rung_at + 3600")
        assert when_to_ring.due(connection, "cpu")


def test_a_new_process_waits_a_lease_before_it_expires_any(database: Database, settings: Settings) -> None:
    job = submitted(database, settings)
    claimed(database, worker_of(database), lease=-1.0)
    new = Maintenance(settings)
    new.tick()
    new.close()
    assert state_of(database, job) is State.RUNNING


def test_workers_get_a_lease_after_a_round_that_failed(
    maintenance: Maintenance, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    maintenance.tick()
    job = submitted(database, settings)
    claimed(database, worker_of(database), lease=-1.0)
    with monkeypatch.context() as away:
        away.setattr(maintenance, "_database", Database("postgresql://away@127.0.0.1:1/none"))
        with pytest.raises(DatabaseUnavailable):
            maintenance.tick()
    maintenance.tick()
    assert state_of(database, job) is State.RUNNING


def test_old_rows_are_looked_for_without_the_lock_of_writers(database: Database, settings: Settings) -> None:
    worker_of(database)
    impatient = Database(settings.database, lock_timeout_seconds=0.2)
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE workers SET lease_until = lease_until")
        assert old_rows.forget_keys(impatient, 24.0) == 0
        assert old_rows.forget_workers(impatient, 3600.0) == 0
    assert old_rows.forget_workers(impatient, -3600.0) == 1
    impatient.close()


def state_of(database: Database, job: UUID) -> State | None:
    with database.read() as connection:
        return queries.state_of(connection, 1, job)
