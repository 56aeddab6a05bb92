"""Two machines of one host name: no live worker's job is taken, and one of two live slots takes another name."""

from dataclasses import replace

import pytest
from sqlalchemy import update

from gradyard.jobs.errors import SlotTaken
from gradyard.jobs.identifiers import new_id
from gradyard.jobs.settings import Settings
from gradyard.jobs.states import State
from gradyard.store import fleet, lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.fleet import WorkerInfo
from gradyard.store.tables import Worker
from tests.actors import claimed, submitted

LEASE = 15.0
HERE, ELSEWHERE = "3f9c0000", "77aa0000"


def on(machine: str, slot: str = "cpu-0", uuid: str | None = None) -> WorkerInfo:
    """A worker of the host `ubuntu` on that machine."""
    return WorkerInfo(new_id(), "ubuntu", slot, "cpu", 1, {"tensor": 1}, machine=machine, device_uuid=uuid)


def enters(database: Database, worker: WorkerInfo, lease: float = LEASE) -> WorkerInfo:
    with database.begin() as connection:
        fleet.register(connection, worker, lease)
    return worker


def test_the_slot_of_another_machine_with_the_same_name_is_left_alone(database: Database, settings: Settings) -> None:
    job = submitted(database, settings)
    claimed(database, enters(database, on(ELSEWHERE)))
    with database.begin() as connection:
        assert lifecycle.hand_back_slot(connection, on(HERE)) == 0
        assert queries.state_of(connection, 1, job) is State.RUNNING


def test_what_an_earlier_process_of_the_same_machine_held_is_handed_back_at_once(
    database: Database, settings: Settings
) -> None:
    job = submitted(database, settings)
    claimed(database, enters(database, on(HERE)))
    with database.begin() as connection:
        assert lifecycle.hand_back_slot(connection, on(HERE)) == 1
        assert queries.state_of(connection, 1, job) is State.QUEUED


def test_a_name_is_one_worker_s_until_its_lease_ends(database: Database) -> None:
    first = enters(database, on(ELSEWHERE))
    with pytest.raises(SlotTaken, match="cpu-0@ubuntu"):
        enters(database, on(HERE))
    enters(database, on(HERE, "cpu-1"))
    with database.begin() as connection:
        fleet.retire(connection, first.id)
    enters(database, on(HERE))


def test_a_slot_of_an_older_version_is_another_machine_s(database: Database) -> None:
    enters(database, on(HERE))
    with database.begin() as connection:
        connection.execute(update(Worker).values(machine=None))
    with pytest.raises(SlotTaken):
        enters(database, on(HERE))


def test_of_two_machines_with_one_gpu_and_one_name_the_second_waits(database: Database) -> None:
    enters(database, on(ELSEWHERE, "gpu-0", "GPU-1"))
    with pytest.raises(SlotTaken, match="GPU-1 is held"):
        enters(database, on(HERE, "gpu-0", "GPU-1"))


def test_a_worker_that_took_another_name_is_a_slot_of_its_own(database: Database, settings: Settings) -> None:
    submitted(database, settings)
    enters(database, on(ELSEWHERE))
    second = on(HERE)
    second.take_another_name()
    enters(database, second)
    claimed(database, second)
    assert str(second.address) == "cpu-0-3f9c@ubuntu"
    with database.begin() as connection:
        assert [each.slot for each in fleet.earlier_processes(connection, on(HERE))] == ["cpu-0-3f9c"]
        assert lifecycle.hand_back_slot(connection, on(HERE)) == 1


def test_a_worker_that_slept_while_another_machine_took_its_name_enters_under_another(database: Database) -> None:
    slept = enters(database, on(HERE), lease=-1.0)
    enters(database, on(ELSEWHERE))
    with database.begin() as connection, pytest.raises(SlotTaken):
        fleet.heartbeat(connection, slept, LEASE)
    slept.take_another_name()
    with database.begin() as connection:
        assert fleet.heartbeat(connection, slept, LEASE)
        assert {row.slot for row in queries.workers_seen(connection)} == {"cpu-0", "cpu-0-3f9c"}
        assert queries.live_slots(connection) == {"cpu": 2}


def test_a_report_whose_confirmation_got_lost_is_counted_once(database: Database) -> None:
    worker = enters(database, on(HERE))
    for number in (1, 1, 2):  # the second time the worker does not know that the first one was stored
        with database.begin() as connection:
            report = fleet.HeartbeatReport(happened={"jobs_finished": 5}, number=number)
            fleet.heartbeat(connection, worker, LEASE, report=report)
    assert totals(database) == {"jobs_finished": 10}


def test_what_happened_to_a_worker_whose_row_is_gone_is_counted(database: Database) -> None:
    worker = replace(on(HERE))
    with database.begin() as connection:
        fleet.count_report(connection, worker, 1, {"fenced_writes": 3})
    assert totals(database) == {"fenced_writes": 3}


def totals(database: Database) -> dict[str, int]:
    with database.read() as connection:
        return {row.name: row.total for row in queries.counters(connection)}
