"""What a pack may take of a GPU's memory, and what must come back after a kill, by an inventory that a test writes."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from jobs.settings import Settings
from workers import device_memory
from workers.device_memory import DeviceMemory
from workers.inventory import DeviceLost


class Gpu:
    """One GPU of 80 GiB of which `used` is in use."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "gpus.json"
        self.says(memory_used_mib=0)

    def says(self, **more: Any) -> None:
        gpu = {"name": "H100", "uuid": "GPU-1", "memory_mib": 81920, **more}
        self._file.write_bytes(orjson.dumps([gpu]))

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


def test_a_pack_may_take_what_others_did_not_use_before_us(gpu: Gpu) -> None:
    gpu.says(memory_used_mib=20_000)
    memory = gpu.memory()
    assert memory.free_mib() == 61_920
    gpu.says(memory_used_mib=70_000)  # now our runner's are among them
    assert memory.free_mib() == 61_920


def test_a_slot_that_shares_a_gpu_may_take_its_part(gpu: Gpu) -> None:
    gpu.says(memory_used_mib=50_000)
    assert gpu.memory(device_shared=True, device_memory_mib=40_960).free_mib() == 40_960


def test_where_the_driver_tells_nothing_nobody_knows(gpu: Gpu) -> None:
    gpu.says(lost=True)
    assert gpu.memory().free_mib() is None
    assert DeviceMemory(Settings()).free_mib() is None


def test_memory_that_does_not_come_back_is_a_lost_device(gpu: Gpu, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_memory, "FREED_SECONDS", 0.3)
    memory = gpu.memory()
    memory.wait_until_free(lambda: False)
    gpu.says(memory_used_mib=9_000)
    with pytest.raises(DeviceLost, match="9,000 MiB are in use; 0 MiB were before"):
        memory.wait_until_free(lambda: False)
    gpu.says(memory_used_mib=100)
    memory.wait_until_free(lambda: False)
