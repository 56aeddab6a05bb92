"""How much GPU memory a pack may take, and how much must be freed after a kill, by an inventory that a test writes."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from gradyard.jobs.settings import Settings
from workers.pool.gpus.inventory import DeviceLost
from workers.runner_client import device_memory
from workers.runner_client.device_memory import DeviceMemory


class Gpu:
    """One GPU of 80 GiB of which `used` is in use."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "gpus.json"
        self.reports(memory_used_mib=0)

    def reports(self, **more: Any) -> None:
        gpu = {"name": "H100", "uuid": "GPU-1", "memory_mib": 81920, **more}
        self._file.write_bytes(orjson.dumps([gpu], option=orjson.OPT_NON_STR_KEYS))

    def memory(self, **settings: Any) -> DeviceMemory:
        known: dict[str, Any] = {
            "device": "gpu",
            "device_uuid": "GPU-1",
            "device_memory_mib": 81920,
            "fake_gpus": str(self._file),
        }
        return DeviceMemory(Settings(**(known | settings)))


@pytest.fixture
def gpu(tmp_path: Path) -> Gpu:
    return Gpu(tmp_path)


@pytest.mark.usefixtures("_short_waits")
def test_a_pack_may_take_what_others_did_not_use_before_us(gpu: Gpu) -> None:
    gpu.reports(memory_used_mib=20_000)
    memory = gpu.memory()
    assert memory.free_mib() == 61_920
    gpu.reports(memory_used_mib=70_000)  # the runner's are among them now
    assert memory.free_mib(RUNNER) == 61_920


def test_a_slot_that_shares_a_gpu_may_take_its_part(gpu: Gpu) -> None:
    gpu.reports(memory_used_mib=50_000)
    assert gpu.memory(device_shared=True, device_memory_mib=40_960).free_mib() == 40_960


def test_free_memory_is_unknown_where_the_driver_reports_none(gpu: Gpu) -> None:
    gpu.reports(lost=True)
    assert gpu.memory().free_mib() is None
    assert DeviceMemory(Settings()).free_mib() is None


@pytest.fixture
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_memory, "FREED_SECONDS", 0.3)
    monkeypatch.setattr(device_memory, "NOTE_SECONDS", 0.0)


def end_runner(memory: DeviceMemory) -> None:
    memory.wait_until_free(lambda: False)


@pytest.mark.usefixtures("_short_waits")
@pytest.mark.parametrize("named", [True, False], ids=["the driver names processes", "it does not"])
def test_memory_that_does_not_come_back_is_a_lost_device(gpu: Gpu, named: bool) -> None:
    memory = gpu.memory()
    end_runner(memory)
    gpu.reports(memory_used_mib=9_000, processes={RUNNER: 9_000} if named else {})
    memory.note(RUNNER)
    with pytest.raises(DeviceLost, match="9,000 MiB are in use; 0 MiB of them by other processes"):
        end_runner(memory)
    gpu.reports(memory_used_mib=100)
    end_runner(memory)


@pytest.mark.usefixtures("_short_waits")
@pytest.mark.parametrize("named", [True, False], ids=["the driver names processes", "it does not"])
def test_memory_that_others_took_meanwhile_breaks_no_device_and_is_theirs(gpu: Gpu, named: bool) -> None:
    memory = gpu.memory()
    end_runner(memory)
    gpu.reports(memory_used_mib=29_000, processes={RUNNER: 9_000, STRANGER: 20_000} if named else {})
    memory.note(RUNNER)
    gpu.reports(memory_used_mib=20_000, processes={STRANGER: 20_000} if named else {})
    end_runner(memory)
    assert memory.free_mib() == 61_920


@pytest.mark.usefixtures("_short_waits")
def test_memory_that_others_take_just_after_a_death_is_not_taken_for_the_runners(gpu: Gpu) -> None:
    memory = gpu.memory()
    end_runner(memory)
    gpu.reports(memory_used_mib=9_000)
    memory.note(RUNNER)
    gpu.reports(memory_used_mib=20_000)
    end_runner(memory)


@pytest.mark.usefixtures("_short_waits")
def test_a_runner_whose_memory_was_never_noted_is_not_missed(gpu: Gpu) -> None:
    memory = gpu.memory()
    end_runner(memory)
    gpu.reports(memory_used_mib=20_000)
    end_runner(memory)
    assert memory.free_mib() == 61_920


@pytest.mark.usefixtures("_short_waits")
def test_a_pack_may_take_what_others_have_freed(gpu: Gpu) -> None:
    gpu.reports(memory_used_mib=20_000)
    memory = gpu.memory()
    assert memory.free_mib() == 61_920
    gpu.reports(memory_used_mib=5_000, processes={RUNNER: 4_000, STRANGER: 1_000})
    assert memory.free_mib(RUNNER) == 80_920


@pytest.mark.usefixtures("_short_waits")
def test_what_an_earlier_workers_runner_had_until_the_driver_freed_it_is_not_taken_for_others(gpu: Gpu) -> None:
    gpu.reports(memory_used_mib=20_000)  # a killed worker's runner; another worker is back before the driver frees it
    memory = gpu.memory()
    end_runner(memory)
    assert memory.free_mib() == 61_920
    gpu.reports(memory_used_mib=1_500)  # that of the new runner, which this driver does not name
    assert memory.free_mib(RUNNER) == 80_420


RUNNER, STRANGER = 77, 88
