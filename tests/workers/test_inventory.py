"""What a host says of its GPUs, by NVML; no machine here has one, so its library is played by a list."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from jobs.errors import SettingsInvalid
from jobs.settings import load
from workers.inventory import DeviceLost, Fake, Gpu, Health, Nvml, inventory_of

LOST, NOT_FOUND, UNSUPPORTED = 15, 6, 3


class NVMLError(Exception):
    def __init__(self, value: int) -> None:
        super().__init__(value)
        self.value = value


class Library:
    """The functions of pynvml that we call, over a list of devices; a device may hold MIG instances."""

    NVMLError = NVMLError
    NVML_ERROR_GPU_IS_LOST, NVML_ERROR_NOT_FOUND = LOST, NOT_FOUND
    NVML_DEVICE_MIG_ENABLE, NVML_TEMPERATURE_GPU = 1, 0

    def __init__(self, devices: list[dict[str, Any]]) -> None:
        self.devices = devices

    def nvmlInit(self) -> None:  # noqa: N802
        pass

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return len(self.devices)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Any:  # noqa: N802
        return self._known(self.devices[index])

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> Any:  # noqa: N802
        every = [*self.devices, *(part for device in self.devices for part in device.get("parts", []))]
        found = [each for each in every if each["uuid"] == uuid]
        return self._known(found[0] if found else {"error": NOT_FOUND})

    def nvmlDeviceGetMigMode(self, handle: Any) -> tuple[int, int]:  # noqa: N802
        if "parts" not in handle and handle.get("old"):
            raise NVMLError(UNSUPPORTED)
        return (int("parts" in handle),) * 2

    def nvmlDeviceGetMaxMigDeviceCount(self, handle: Any) -> int:  # noqa: N802
        return 7

    def nvmlDeviceGetMigDeviceHandleByIndex(self, handle: Any, index: int) -> Any:  # noqa: N802
        if index >= len(handle["parts"]):
            raise NVMLError(NOT_FOUND)
        return handle["parts"][index]

    def nvmlDeviceGetUUID(self, handle: Any) -> str:  # noqa: N802
        return str(handle["uuid"])

    def nvmlDeviceGetName(self, handle: Any) -> bytes:  # noqa: N802
        return str(handle["name"]).encode()

    def nvmlDeviceGetMemoryInfo(self, handle: Any) -> Any:  # noqa: N802
        return SimpleNamespace(total=handle["mib"] * 2**20, used=handle.get("used", 0) * 2**20)

    def nvmlDeviceGetUtilizationRates(self, handle: Any) -> Any:  # noqa: N802
        if "load" not in handle:
            raise NVMLError(UNSUPPORTED)
        return SimpleNamespace(gpu=handle["load"])

    def nvmlDeviceGetTemperature(self, handle: Any, sensor: int) -> int:  # noqa: N802
        return 50 + sensor

    def _known(self, device: dict[str, Any]) -> dict[str, Any]:
        if "error" in device:
            raise NVMLError(device["error"])
        return device


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    found = Library([
        {"uuid": "GPU-a", "name": "H100", "mib": 81559, "load": 97, "used": 1024, "old": True},
        {"uuid": "GPU-b", "name": "H100", "mib": 81559, "parts": [
            {"uuid": "MIG-1", "name": "H100 MIG 1g.10gb", "mib": 9856},
            {"uuid": "MIG-2", "name": "H100 MIG 1g.10gb", "mib": 9856},
        ]},
        {"uuid": "GPU-c", "name": "H100", "mib": 81559, "error": LOST},
    ])  # fmt: skip
    monkeypatch.setitem(sys.modules, "pynvml", found)
    return found


def test_nvml_lists_whole_gpus_and_mig_instances_and_passes_over_lost_ones(library: Library) -> None:
    assert Nvml().gpus() == [
        Gpu("GPU-a", "H100", 81559), Gpu("MIG-1", "H100 MIG 1g.10gb", 9856), Gpu("MIG-2", "H100 MIG 1g.10gb", 9856),
    ]  # fmt: skip


def test_nvml_tells_how_a_gpu_is_as_far_as_the_driver_does(library: Library) -> None:
    assert Nvml().health("GPU-a") == Health(97.0, 50.0, 1024)
    assert Nvml().health("MIG-1") == Health(None, 50.0, 0)
    library.devices[0]["error"] = LOST
    with pytest.raises(DeviceLost, match="GPU-a"):
        Nvml().health("GPU-a")
    with pytest.raises(DeviceLost, match="GPU-z"):
        Nvml().health("GPU-z")


def test_a_host_without_a_driver_has_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert (Nvml().gpus(), Nvml().health("GPU-a")) == ([], None)


def test_a_file_of_gpus_may_change_while_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "gpus.json"
    file.write_text('["A", {"name": "B", "uuid": "MIG-x", "memory_mib": 10, "temperature_celsius": 40}]')
    inventory = inventory_of(load(database_url="sqlite:///unused.db", fake_gpus=str(file)))
    assert inventory.gpus() == [Gpu("GPU-fake-0", "A", 81920), Gpu("MIG-x", "B", 10)]
    assert inventory.health("MIG-x") == Health(temperature_celsius=40)
    file.write_bytes(orjson.dumps([{"name": "A", "lost": True}]))
    assert inventory.gpus() == []
    with pytest.raises(DeviceLost):
        inventory.health("GPU-fake-0")
    with pytest.raises(SettingsInvalid, match="GRADYARD_FAKE_GPUS"):
        Fake(str(tmp_path / "nothing")).gpus()
