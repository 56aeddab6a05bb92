"""A worker enters once no other process has its slot or its GPU, and waits until then."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import psutil
import pytest
from sqlalchemy import update

from gradyard.jobs.errors import SlotTaken
from gradyard.jobs.fleet import Queue
from gradyard.jobs.identifiers import new_id
from gradyard.jobs.settings import Settings
from gradyard.store import fleet, queries
from gradyard.store.database import Database
from gradyard.store.fleet import WorkerInfo
from gradyard.store.tables import Worker
from tests.actors import claimed, submitted, worker_of
from workers.celery_side import celery_child
from workers.supervisor.heartbeat import Heartbeat

LEASE = 15.0


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that lives until the test ends it."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as living:
        yield living
        living.kill()


def test_the_jobs_of_a_slot_are_not_taken_from_a_process_that_lives(
    database: Database, settings: Settings, sleeper: "subprocess.Popen[bytes]"
) -> None:
    job = submitted(database, settings)
    earlier = worker_of(database, "gpu-0")
    claimed(database, replace(earlier, queue=Queue.CPU))
    with database.begin() as connection:
        connection.execute(update(Worker).values(pid=sleeper.pid))
    mine = replace(earlier, id=new_id(), pid=1)
    with pytest.raises(SlotTaken, match=f"gpu-0@host is held by process {sleeper.pid}"):
        celery_child._enter(settings, mine)
    assert state_of(database, job) == "running"
    sleeper.kill()  # and is not waited for: a zombie holds nothing
    until(lambda: psutil.Process(sleeper.pid).status() == psutil.STATUS_ZOMBIE)
    celery_child._enter(settings, mine)
    assert state_of(database, job) == "queued"


def test_a_pid_that_is_another_process_by_now_holds_nothing(
    database: Database, settings: Settings, sleeper: "subprocess.Popen[bytes]"
) -> None:
    earlier = worker_of(database, "gpu-0")
    with database.begin() as connection:
        connection.execute(update(Worker).values(pid=sleeper.pid, started_at=Worker.started_at - 3600))
    celery_child._enter(settings, replace(earlier, id=new_id()))


def state_of(database: Database, job: object) -> str:
    with database.read() as connection:
        return str(queries.job_by_id(connection, 1, job).state)  # type: ignore[arg-type]


@pytest.fixture
def often(settings: Settings) -> Settings:
    return settings.model_copy(update={"heartbeat_seconds": 0.1})


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_worker_tries_again_until_it_may_enter(often: Settings) -> None:
    free, tried = threading.Event(), []

    def enter() -> None:
        tried.append(1)
        if not free.is_set():
            raise SlotTaken("GPU-1 is held by gpu-0@elsewhere")

    heartbeat = Heartbeat(often, WorkerInfo(new_id(), "host", "gpu-0", Queue.GPU, 1, {}), enter)
    heartbeat.start()
    try:
        until(lambda: len(tried) >= 2)
        assert not heartbeat.entered.is_set()
        free.set()
        until(heartbeat.entered.is_set)
    finally:
        heartbeat.stop()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_worker_that_slept_while_another_took_its_gpu_waits(database: Database, often: Settings) -> None:
    mine, other = (WorkerInfo(new_id(), host, "gpu-0", Queue.GPU, 1, {}, device_uuid="GPU-1") for host in ("a", "b"))

    def enter() -> None:
        with database.begin() as connection:
            fleet.register(connection, mine, LEASE)

    heartbeat = Heartbeat(often, mine, enter)
    heartbeat.start()
    try:
        until(heartbeat.entered.is_set)
        claim = new_id()
        heartbeat.watch_claim(claim, 0)
        with database.begin() as connection:  # as after a night without the database
            connection.execute(update(Worker).values(lease_until=0.0))
            fleet.register(connection, other, LEASE)
        until(lambda: not heartbeat.entered.is_set())
        until(heartbeat.claim_is_lost)
        with database.begin() as connection:
            fleet.retire(connection, other.id)
        until(heartbeat.entered.is_set)
    finally:
        heartbeat.stop()


def until(true: object, seconds: float = 120.0) -> None:
    give_up_at = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < give_up_at
        time.sleep(0.02)
