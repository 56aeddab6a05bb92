"""One GPU, one worker: by its UUID, whatever the host, the container or the user; and its hold goes with it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete

from gradyard.jobs.errors import SlotTaken
from gradyard.jobs.fleet import HoldKind
from gradyard.jobs.identifiers import new_id
from gradyard.store import fleet
from gradyard.store.database import Database
from gradyard.store.fleet import WorkerInfo
from gradyard.store.tables import Worker
from tests.actors import worker_of

LEASE = 15.0


def enters(database: Database, worker: WorkerInfo, lease: float = LEASE) -> str | None:
    """Register the worker. Returns the slot that holds its GPU, if there is one."""
    try:
        with database.begin() as connection:
            fleet.register(connection, worker, lease)
    except SlotTaken as taken:
        return str(taken).rpartition(" ")[2]
    return None


def on(host: str, slot: str = "gpu-0", uuid: str | None = "GPU-1", *, shares: bool = False) -> WorkerInfo:
    return WorkerInfo(new_id(), host, slot, "gpu", 1, {"tensor": 1}, device_uuid=uuid, shares_device=shares)


def test_a_gpu_that_another_live_worker_has_is_held_wherever_that_is(database: Database) -> None:
    assert enters(database, on("container-1")) is None
    assert enters(database, on("container-2")) == "gpu-0@container-1"
    assert enters(database, on("container-1", "gpu-7")) == "gpu-0@container-1"
    assert enters(database, on("container-2", uuid="GPU-2")) is None
    assert enters(database, on("container-2", "cpu-0", uuid=None)) is None


def test_of_many_that_enter_at_once_exactly_one_stays(database: Database) -> None:
    begin = threading.Barrier(6)

    def enter(number: int) -> str | None:
        begin.wait()
        return enters(database, on(f"host-{number}"))

    for _ in range(3):
        with ThreadPoolExecutor(6) as threads:
            held = list(threads.map(enter, range(6)))
        assert [holder is None for holder in held].count(True) == 1
        with database.begin() as connection:
            connection.execute(delete(Worker))


def test_who_slept_for_longer_than_a_lease_does_not_take_its_gpu_back(database: Database) -> None:
    slept, other = on("a"), on("b")
    enters(database, slept, lease=-1.0)
    assert enters(database, other) is None
    with database.begin() as connection, pytest.raises(SlotTaken, match="GPU-1 is held by gpu-0@b"):
        fleet.heartbeat(connection, slept, LEASE)
    with database.begin() as connection:
        fleet.retire(connection, other.id)
        assert fleet.heartbeat(connection, slept, LEASE)
    assert enters(database, on("c")) == "gpu-0@a"


def test_a_dead_worker_holds_no_gpu(database: Database) -> None:
    enters(database, on("a"), lease=-1.0)
    assert enters(database, on("b")) is None


def test_slots_of_one_host_may_share_a_gpu_and_other_hosts_may_not(database: Database) -> None:
    assert enters(database, on("a", "gpu-0-0", shares=True)) is None
    assert enters(database, on("a", "gpu-0-1", shares=True)) is None
    assert enters(database, on("b", "gpu-0-0", shares=True)) == "gpu-0-0@a"
    assert enters(database, on("a", "gpu-0")) == "gpu-0-0@a"


def test_a_slot_that_would_share_does_not_join_one_that_does_not(database: Database) -> None:
    assert enters(database, on("a", "gpu-0")) is None
    assert enters(database, on("a", "gpu-0-1", shares=True)) == "gpu-0@a"


def test_a_new_process_of_a_slot_has_the_gpu_of_the_one_before(database: Database) -> None:
    assert enters(database, on("a")) is None
    assert enters(database, on("a")) is None


def test_the_hold_of_a_gpu_is_for_whichever_worker_has_it(database: Database) -> None:
    broken, moved, other = on("host"), on("elsewhere", "gpu-3"), on("host", "gpu-0", "GPU-2")
    enters(database, broken, lease=-1.0)
    enters(database, moved)
    enters(database, other)
    with database.begin() as connection:
        fleet.hold(connection, HoldKind.HOST, "host", actor="ada")  # another hold, which is lifted
        for _ in range(2):
            fleet.drain_device(connection, broken, "it fell off the bus")
        fleet.lift(connection, HoldKind.HOST, "host")
    with database.read() as connection:
        held = [fleet.is_on_hold(connection, worker.id) for worker in (broken, moved, other)]
    assert held == [True, True, False]


def test_a_device_that_has_no_uuid_is_its_slot(database: Database) -> None:
    worker = worker_of(database, "gpu-0", "gpu")
    with database.begin() as connection:
        fleet.drain_device(connection, worker, "it does not add")
        assert fleet.is_on_hold(connection, worker.id)
        assert fleet.lift(connection, HoldKind.SLOT, "gpu-0@host")
