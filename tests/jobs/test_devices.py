"""One GPU, one worker: by its UUID, whatever the host, the container or the user; and its hold goes with it."""

from dataclasses import replace

from jobs import lifecycle
from jobs.database import Database
from jobs.identifiers import new_id
from jobs.lifecycle import WorkerFacts
from jobs.settings import Settings
from tests.actors import submitted, worker_of

LEASE = 15.0


def enters(database: Database, worker: WorkerFacts, lease: float = LEASE) -> str | None:
    """The worker registers; then who holds its GPU, if somebody does."""
    with database.begin() as connection:
        lifecycle.register(connection, worker, lease)
    with database.begin() as connection:
        return lifecycle.device_holder(connection, worker)


def on(host: str, slot: str = "gpu-0", uuid: str | None = "GPU-1", *, shares: bool = False) -> WorkerFacts:
    return WorkerFacts(new_id(), host, slot, "gpu", 1, {"tensor": 1}, device_uuid=uuid, shares_device=shares)


def test_a_gpu_that_another_live_worker_has_is_held_wherever_that_is(database: Database) -> None:
    assert enters(database, on("container-1")) is None
    assert enters(database, on("container-2")) == "gpu-0@container-1"
    assert enters(database, on("container-1", "gpu-7")) == "gpu-0@container-1"
    assert enters(database, on("container-2", uuid="GPU-2")) is None
    assert enters(database, on("container-2", "cpu-0", uuid=None)) is None


def test_of_two_that_enter_at_once_exactly_one_stays(database: Database) -> None:
    first, second = on("a"), on("b")
    with database.begin() as connection:
        lifecycle.register(connection, first, LEASE)
        lifecycle.register(connection, second, LEASE)
    with database.read() as connection:
        held = [lifecycle.device_holder(connection, worker) for worker in (first, second)]
    assert sorted(holder is None for holder in held) == [False, True]


def test_a_dead_worker_holds_no_gpu(database: Database) -> None:
    enters(database, on("a"), lease=-1.0)
    assert enters(database, on("b")) is None


def test_slots_of_one_host_may_share_a_gpu_and_other_hosts_may_not(database: Database) -> None:
    assert enters(database, on("a", "gpu-0-0", shares=True)) is None
    assert enters(database, on("a", "gpu-0-1", shares=True)) is None
    assert enters(database, on("b", "gpu-0-0", shares=True)) == "gpu-0-0@a"
    assert enters(database, on("a", "gpu-0")) == "gpu-0-0@a"


def test_the_hold_of_a_gpu_is_for_whichever_worker_has_it(database: Database, settings: Settings) -> None:
    submitted(database, settings, device="gpu")
    broken = replace(worker_of(database, "gpu-0", "gpu"), id=new_id(), device_uuid="GPU-1")
    moved, other = on("elsewhere", "gpu-3"), on("host", "gpu-0", "GPU-2")
    for worker in (broken, moved, other):
        enters(database, worker)
    for _ in range(2):
        with database.begin() as connection:
            lifecycle.drain_device(connection, broken, "it fell off the bus")
    with database.read() as connection:
        held = [lifecycle.is_held_back(connection, worker.id) for worker in (broken, moved, other)]
    assert held == [True, True, False]


def test_a_device_that_has_no_uuid_is_its_slot(database: Database) -> None:
    worker = worker_of(database, "gpu-0", "gpu")
    with database.begin() as connection:
        lifecycle.drain_device(connection, worker, "it does not add")
        assert lifecycle.is_held_back(connection, worker.id)
        assert lifecycle.lift(connection, "slot", "gpu-0@host")
