"""Which slots a host gets, and what each process is told about its device."""

import pytest

from jobs.errors import SettingsInvalid
from jobs.settings import load
from workers import devices
from workers.devices import slots

SETTINGS = load(database_url="sqlite:///unused.db", fake_gpus=("Fake A", "Fake A"))


def test_cpu_slots_have_a_core_of_their_own_each() -> None:
    cores = devices.usable_cpus()
    found = slots(len(cores), "none", ["cpu", "gpu"], SETTINGS)
    taken = [core for slot in found for core in slot.cpus]
    assert sorted(taken) == cores
    with pytest.raises(SettingsInvalid, match="usable"):
        slots(len(cores) + 1, "none", ["cpu"], SETTINGS)


def test_each_gpu_slot_sees_exactly_its_own_device_by_uuid() -> None:
    found = slots(0, "all", ["cpu", "gpu"], SETTINGS)
    assert [slot.environment()["CUDA_VISIBLE_DEVICES"] for slot in found] == ["GPU-fake-0", "GPU-fake-1"]
    assert len({slot.name for slot in found}) == 2


def test_a_cpu_slot_sees_no_gpu() -> None:
    (slot,) = slots(1, "all", ["cpu"], SETTINGS)
    assert slot.environment()["CUDA_VISIBLE_DEVICES"] == ""


def test_a_queue_that_was_not_asked_for_gets_no_slot() -> None:
    assert [slot.queue for slot in slots(1, "all", ["gpu"], SETTINGS)] == ["gpu", "gpu"]
    assert slots(1, "none", ["gpu"], SETTINGS) == []
