"""The slots of a host, and the device that each process gets."""

import os
import subprocess
import sys

import pytest

from gradyard.jobs.errors import SettingsInvalid
from gradyard.jobs.fleet import WORKER_QUEUES, Queue
from gradyard.jobs.settings import load
from workers.pool import slots
from workers.pool.slots import slots_of_host

SETTINGS = load(database_url="sqlite:///unused.db", fake_gpus='["Fake A", "Fake A"]')


def test_cpu_slots_have_a_core_of_their_own_each() -> None:
    cores = slots.usable_cpus()
    found = slots_of_host(len(cores), "none", WORKER_QUEUES, SETTINGS)
    taken = [core for slot in found for core in slot.cpus]
    assert sorted(taken) == cores
    with pytest.raises(SettingsInvalid, match="usable"):
        slots_of_host(len(cores) + 1, "none", [Queue.CPU], SETTINGS)


def test_a_system_that_pins_nothing_is_said_and_numbers_its_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    assert slots.why_not_pinned() is None
    monkeypatch.delattr(os, "sched_setaffinity")
    monkeypatch.delattr(os, "sched_getaffinity")
    assert "no process to a core" in str(slots.why_not_pinned())
    found = slots_of_host(1, "none", [Queue.CPU], SETTINGS)
    assert found[0].cpus[0] in range(os.cpu_count() or 1)


def test_each_gpu_slot_sees_exactly_its_own_device_by_uuid() -> None:
    found = slots_of_host(0, "all", WORKER_QUEUES, SETTINGS)
    assert [slot.environment()["CUDA_VISIBLE_DEVICES"] for slot in found] == ["GPU-fake-0", "GPU-fake-1"]
    assert len({slot.name for slot in found}) == 2


def test_a_cpu_slot_sees_no_gpu() -> None:
    (slot,) = slots_of_host(1, "all", [Queue.CPU], SETTINGS)
    assert slot.environment()["CUDA_VISIBLE_DEVICES"] == ""


def test_a_queue_that_was_not_asked_for_gets_no_slot() -> None:
    assert [slot.queue for slot in slots_of_host(1, "all", [Queue.GPU], SETTINGS)] == [Queue.GPU, Queue.GPU]
    assert slots_of_host(1, "none", [Queue.GPU], SETTINGS) == []


def uuids(gpus: str, *, count: int = 4, visible: str | None = None, slots_per_gpu: int = 1) -> list[str]:
    inventory = str([f"GPU {index}" for index in range(count)]).replace("'", '"')
    settings = load(database_url="sqlite:///unused.db", fake_gpus=inventory, visible_devices=visible)
    found = slots_of_host(0, gpus, [Queue.GPU], settings, slots_per_gpu)
    return [slot.gpu.uuid for slot in found if slot.gpu]


@pytest.mark.parametrize("count", [0, 1, 8])
def test_all_gpus_are_all_that_there_are(count: int) -> None:
    assert uuids("all", count=count) == [f"GPU-fake-{index}" for index in range(count)]
    assert uuids("none", count=count) == []


def test_gpus_are_chosen_by_number_by_uuid_and_by_the_beginning_of_one() -> None:
    assert uuids("2,0") == ["GPU-fake-2", "GPU-fake-0"]
    assert uuids("GPU-fake-3, 1") == ["GPU-fake-3", "GPU-fake-1"]
    assert uuids("GPU-fake-10", count=11) == ["GPU-fake-10"]
    with pytest.raises(SettingsInvalid, match="--gpus 7: there is no such GPU; there are 0"):
        uuids("7")
    with pytest.raises(SettingsInvalid, match="no such GPU"):
        uuids("GPU-fake")


def test_cuda_visible_devices_narrows_what_a_pool_may_take() -> None:
    assert uuids("all", visible="1,GPU-fake-3") == ["GPU-fake-1", "GPU-fake-3"]
    assert uuids("all", visible="") == []
    assert uuids("all", visible="0,9,1") == ["GPU-fake-0"], "a name that is not found ends the list, as in CUDA"
    with pytest.raises(SettingsInvalid, match="--gpus 0"):
        uuids("0", visible="1")


def test_several_slots_of_a_gpu_share_its_memory() -> None:
    settings = load(database_url="sqlite:///unused.db", fake_gpus='[{"name": "A", "memory_mib": 1000}]')
    found = slots_of_host(0, "all", [Queue.GPU], settings, 2)
    assert [(slot.name, slot.gpu.memory_mib) for slot in found if slot.gpu] == [("gpu-0-0", 500), ("gpu-0-1", 500)]
    assert [slot.environment()["GRADYARD_DEVICE_SHARED"] for slot in found] == ["True", "True"]


def test_a_pool_without_the_wanted_gpu_lists_those_that_it_has() -> None:
    command = [sys.executable, "-m", "workers.pool", "--gpus", "three"]
    environment = os.environ | {"GRADYARD_FAKE_GPUS": '["A"]', "DATABASE_URL": "sqlite:///unused.db"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    message = "gradyard worker: --gpus three: there is no such GPU; there are 0 (GPU-fake-0, A)\n"
    assert (ended.returncode, ended.stderr) == (2, message)
