"""A worker enters once no other process has its slot or its GPU, and waits until then."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import psutil
import pytest
from sqlalchemy import Connection, update

from gradyard.jobs.errors import DatabaseUnavailable, SlotTaken
from gradyard.jobs.fleet import Queue
from gradyard.jobs.identifiers import new_id
from gradyard.jobs.settings import Settings
from gradyard.store import fleet, queries
from gradyard.store.database import Database
from gradyard.store.fleet import WorkerInfo
from gradyard.store.tables import Worker
from tests.actors import claimed, clock_moves, submitted, worker_of
from workers.celery_side import celery_child
from workers.celery_side.entry import Entry
from workers.pool.machine import machine_identity
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
        Entry(settings, mine).attempt()
    assert state_of(database, job) == "running"
    sleeper.kill()  # and is not waited for: a zombie holds nothing
    until(lambda: psutil.Process(sleeper.pid).status() == psutil.STATUS_ZOMBIE)
    assert Entry(settings, mine).attempt() == 1
    assert state_of(database, job) == "queued"


def test_a_pid_that_is_another_process_by_now_holds_nothing(
    database: Database, settings: Settings, sleeper: "subprocess.Popen[bytes]"
) -> None:
    earlier = worker_of(database, "gpu-0")
    with database.begin() as connection:
        connection.execute(update(Worker).values(pid=sleeper.pid, started_at=Worker.started_at - 3600))
    Entry(settings, replace(earlier, id=new_id())).attempt()


def test_of_two_hosts_of_one_name_the_second_says_so_and_takes_another_name(
    database: Database, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    job = submitted(database, settings)
    first = worker_of(database)
    claimed(database, first)
    second = replace(first, id=new_id(), machine="3f9c0000")
    entry = Entry(settings, second)
    for _ in range(2):  # the first one may be dead
        with pytest.raises(SlotTaken, match="another machine of the name host has cpu-0@host"):
            entry.attempt()
    clock_moves(database)
    with database.begin() as connection:
        fleet.heartbeat(connection, first, LEASE)
    assert entry.attempt() == 0
    assert (state_of(database, job), str(second.address)) == ("running", "cpu-0-3f9c@host")
    assert "two machines have one host name" in capsys.readouterr().out
    with database.read() as connection:
        assert {row.slot for row in queries.workers_seen(connection)} == {"cpu-0", "cpu-0-3f9c"}


def test_a_worker_tells_its_machine(settings: Settings) -> None:
    assert celery_child.worker_info(settings, Queue.CPU).machine == machine_identity()


def test_a_slot_that_took_another_name_keeps_it_when_its_process_starts_again(
    database: Database, settings: Settings
) -> None:
    given = replace(worker_of(database), machine="3f9c0000", pid=2**22)
    named = replace(given, id=new_id())
    named.take_another_name()
    with database.begin() as connection:
        fleet.register(connection, named, LEASE)
    job = submitted(database, settings)
    claimed(database, named)
    again = replace(given, id=new_id())
    assert Entry(settings, again).attempt() == 1
    assert (state_of(database, job), again.slot) == ("queued", "cpu-0-3f9c")


def test_the_name_of_a_dead_worker_of_another_machine_is_free_after_its_lease(
    database: Database, settings: Settings
) -> None:
    dead = worker_of(database, lease=600.0)
    entry = Entry(settings, replace(dead, id=new_id(), machine="3f9c0000"))
    with pytest.raises(SlotTaken):
        entry.attempt()

    def entered() -> bool:
        try:
            return entry.attempt() == 0
        except SlotTaken:
            return False

    with database.begin() as connection:
        connection.execute(update(Worker).values(lease_until=0.0))
    until(entered)
    with database.read() as connection:
        assert {row.slot for row in queries.workers_seen(connection)} == {"cpu-0"}


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
def test_a_heartbeat_whose_answer_gets_lost_counts_once(
    database: Database, often: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = worker_of(database)
    heartbeat = Heartbeat(often, worker, lambda: None)
    begin = heartbeat._database.begin
    lost: list[int] = []

    @contextmanager
    def begin_and_lose_the_answer() -> Iterator[Connection]:
        with begin() as connection:
            yield connection
        if len(lost) < 3:
            lost.append(1)
            raise DatabaseUnavailable("the connection broke after the commit")

    monkeypatch.setattr(heartbeat._database, "begin", begin_and_lose_the_answer)
    heartbeat.throughput.finished(7)
    heartbeat.start()
    until(lambda: len(lost) == 3)
    heartbeat.throughput.finished(1)
    heartbeat.stop()
    with database.read() as connection:
        assert [(row.name, row.total) for row in queries.counters(connection)] == [("jobs_finished", 8)]


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
