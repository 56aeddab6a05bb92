"""The GPUs of a host by NVML. The library is replaced by a list, as test machines have no GPU."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from gradyard.jobs.errors import SettingsInvalid
from gradyard.jobs.settings import load
from workers.pool.gpus.choose import inventory_of
from workers.pool.gpus.fake import FakeInventory
from workers.pool.gpus.inventory import DeviceLost, Gpu, Health, InUse
from workers.pool.gpus.nvml import UNKNOWN_TIMES, NvmlInventory

LOST, NOT_FOUND, UNSUPPORTED, MISMATCH, NO_LIBRARY, UNKNOWN = 15, 6, 3, 18, 12, 999


class NVMLError(Exception):
    def __init__(self, value: int) -> None:
        super().__init__(value)
        self.value = value


class Library:
    """The functions of pynvml that are called, over a list of devices. A device may hold MIG instances."""

    NVMLError = NVMLError
    NVML_ERROR_GPU_IS_LOST, NVML_ERROR_NOT_FOUND, NVML_ERROR_RESET_REQUIRED = LOST, NOT_FOUND, 16
    NVML_ERROR_LIBRARY_NOT_FOUND, NVML_ERROR_UNKNOWN = NO_LIBRARY, UNKNOWN
    NVML_DEVICE_MIG_ENABLE, NVML_TEMPERATURE_GPU = 1, 0

    def __init__(self, devices: list[dict[str, Any]]) -> None:
        self.devices = devices
        self.init_error: int | None = None

    def nvmlInit(self) -> None:  # noqa: N802
        if self.init_error is not None:
            raise NVMLError(self.init_error)

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return len(self.devices)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Any:  # noqa: N802
        return self._known(self.devices[index])

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
        self._known(handle)
        if "mib" not in handle:
            raise NVMLError(UNSUPPORTED)
        return SimpleNamespace(total=handle["mib"] * 2**20, used=handle.get("used", 0) * 2**20)

    def nvmlDeviceGetComputeRunningProcesses(self, handle: Any) -> Any:  # noqa: N802
        return [SimpleNamespace(pid=pid, usedGpuMemory=mib and mib * 2**20) for pid, mib in handle["processes"].items()]

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
    library = Library([
        {"uuid": "GPU-a", "name": "H100", "mib": 81559, "load": 97, "used": 1024, "old": True,
         "processes": {5: 1000, 6: None}},
        {"uuid": "GPU-b", "name": "H100", "mib": 81559, "parts": [
            {"uuid": "MIG-1", "name": "H100 MIG 1g.10gb", "mib": 9856},
            {"uuid": "MIG-2", "name": "H100 MIG 1g.10gb", "mib": 9856},
        ]},
        {"uuid": "GPU-c", "name": "H100", "mib": 81559, "error": LOST},
    ])  # fmt: skip
    monkeypatch.setitem(sys.modules, "pynvml", library)
    return library


def test_nvml_lists_whole_gpus_and_mig_instances_by_the_drivers_numbers(library: Library) -> None:
    assert NvmlInventory().gpus() == [
        Gpu("GPU-a", "H100", 81559, "0"), Gpu("MIG-1", "H100 MIG 1g.10gb", 9856, "1.0"),
        Gpu("MIG-2", "H100 MIG 1g.10gb", 9856, "1.1"),
    ]  # fmt: skip
    library.devices[0]["error"] = LOST
    assert [gpu.number for gpu in NvmlInventory().gpus()] == ["1.0", "1.1"], "the others keep their numbers"


def test_nvml_reads_what_the_driver_reports(library: Library) -> None:
    assert NvmlInventory().health("GPU-a") == Health(97.0, 50.0, 1024)
    assert NvmlInventory().health("MIG-1") == Health(None, 50.0, 0)
    assert NvmlInventory().in_use("GPU-a") == InUse(1024, {5: 1000})


@pytest.mark.parametrize("error", [LOST, NOT_FOUND, 16])
def test_a_gpu_that_is_lost_takes_none_of_the_others_with_it(library: Library, error: int) -> None:
    host = NvmlInventory()
    assert host.health("GPU-a")
    library.devices[0]["error"] = error
    for _ in range(2):
        with pytest.raises(DeviceLost, match="GPU-a"):
            host.health("GPU-a")
        assert host.health("MIG-2")
    with pytest.raises(DeviceLost, match="GPU-z"):
        host.health("GPU-z")
    del library.devices[0]["error"]
    assert host.health("GPU-a"), "it may come back"


def test_unknown_errors_in_a_row_mean_a_lost_gpu(library: Library) -> None:
    host = NvmlInventory()
    assert host.health("GPU-a")
    for _ in range(UNKNOWN_TIMES - 1):
        host._handles["GPU-a"] = {"error": UNKNOWN}
        assert host.health("GPU-a") is None
    host._handles["GPU-a"] = {"error": UNKNOWN}
    with pytest.raises(DeviceLost):
        host.health("GPU-a")


def test_a_gpu_whose_memory_the_driver_does_not_report_is_listed(library: Library) -> None:
    del library.devices[0]["mib"]
    host = NvmlInventory()
    assert host.gpus()[0] == Gpu("GPU-a", "H100", 0, "0")
    assert host.health("GPU-a") is None


@pytest.mark.parametrize(("error", "logged"), [(MISMATCH, True), (NO_LIBRARY, False)])
def test_a_driver_that_does_not_answer_is_logged_and_one_that_is_not_there_is_not(
    library: Library, error: int, logged: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    library.init_error = error
    assert NvmlInventory().gpus() == []
    assert ("does not answer" in capsys.readouterr().out) is logged


def test_a_host_without_a_driver_has_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert (NvmlInventory().gpus(), NvmlInventory().health("GPU-a")) == ([], None)


def test_a_file_of_gpus_may_change_while_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "gpus.json"
    file.write_text('["A", {"name": "B", "uuid": "MIG-x", "memory_mib": 10, "temperature_celsius": 40}]')
    inventory = inventory_of(load(database_url="sqlite:///unused.db", fake_gpus=str(file)))
    assert inventory.gpus() == [Gpu("GPU-fake-0", "A", 81920, "0"), Gpu("MIG-x", "B", 10, "1")]
    assert inventory.health("MIG-x") == Health(temperature_celsius=40)
    file.write_bytes(orjson.dumps([{"name": "A", "lost": True}, "B"]))
    assert [gpu.number for gpu in inventory.gpus()] == ["1"]
    with pytest.raises(DeviceLost):
        inventory.health("GPU-fake-0")
    with pytest.raises(SettingsInvalid, match="GRADYARD_FAKE_GPUS"):
        FakeInventory(str(tmp_path / "nothing")).gpus()
