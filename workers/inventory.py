"""Which GPUs this host has and how they are, by NVML; or by a list that a test has written."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import orjson

from jobs.errors import SettingsInvalid
from jobs.settings import Settings

FAKE_MEMORY_MIB = 81_920


@dataclass(frozen=True)
class Gpu:
    """One GPU, or one MIG instance of one, by the UUID that CUDA_VISIBLE_DEVICES takes; memory in MiB."""

    uuid: str
    name: str
    memory_mib: int


@dataclass(frozen=True)
class Health:
    """How a GPU is now; None for what its driver does not tell, as of a MIG instance."""

    utilization_percent: float | None = None
    temperature_celsius: float | None = None
    memory_used_mib: int | None = None


class DeviceLost(Exception):
    """The driver does not reach the GPU any more: only a person, or a reboot, brings it back."""


class Inventory(Protocol):
    """What a host tells of its GPUs."""

    def gpus(self) -> list[Gpu]:
        """All of them, in the driver's order; those that are lost are left out."""
        ...

    def health(self, uuid: str) -> Health | None:
        """How that one is; None where nobody can tell. Raises DeviceLost where it fell off the bus."""
        ...


def inventory_of(settings: Settings) -> Inventory:
    """The inventory of this host."""
    return Fake(settings.fake_gpus) if settings.fake_gpus else Nvml()


class Nvml:
    """NVIDIA's own library; a host without it, or without a driver, has no GPU."""

    def __init__(self) -> None:
        self._nvml: Any = None
        try:
            import pynvml

            pynvml.nvmlInit()
            self._nvml = pynvml
        except Exception:  # not installed, or no driver here
            self._nvml = None

    def gpus(self) -> list[Gpu]:
        """Every GPU; one that is cut into MIG instances by its instances, since nothing else of it can be used."""
        if self._nvml is None:
            return []
        return [gpu for index in range(self._nvml.nvmlDeviceGetCount()) for gpu in self._of(index)]

    def health(self, uuid: str) -> Health | None:
        """By the driver."""
        if self._nvml is None:
            return None
        try:
            handle = self._nvml.nvmlDeviceGetHandleByUUID(uuid)
            used = int(self._nvml.nvmlDeviceGetMemoryInfo(handle).used // 2**20)
        except self._nvml.NVMLError as error:
            if error.value in (self._nvml.NVML_ERROR_GPU_IS_LOST, self._nvml.NVML_ERROR_NOT_FOUND):
                raise DeviceLost(f"the driver lost {uuid}: {error}") from None
            return None
        load = self._asked(lambda nvml: float(nvml.nvmlDeviceGetUtilizationRates(handle).gpu))
        heat = self._asked(lambda nvml: float(nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)))
        return Health(load, heat, used)

    def _of(self, index: int) -> list[Gpu]:
        nvml = self._nvml
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            mode = self._asked(lambda nvml: nvml.nvmlDeviceGetMigMode(handle)[0])
            if mode != nvml.NVML_DEVICE_MIG_ENABLE:
                return [self._gpu(handle)]
            most = nvml.nvmlDeviceGetMaxMigDeviceCount(handle)
        except nvml.NVMLError:
            return []  # lost
        parts = (self._asked(lambda nvml, at=part: nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, at))
                 for part in range(most))  # fmt: skip
        return [self._gpu(part) for part in parts if part is not None]

    def _gpu(self, handle: Any) -> Gpu:
        nvml = self._nvml
        uuid, name = nvml.nvmlDeviceGetUUID(handle), nvml.nvmlDeviceGetName(handle)
        return Gpu(_text(uuid), _text(name), int(nvml.nvmlDeviceGetMemoryInfo(handle).total // 2**20))

    def _asked(self, question: Any) -> Any:
        """The answer; None where the driver has none for such a device."""
        try:
            return question(self._nvml)
        except self._nvml.NVMLError:
            return None


class Fake:
    """For machines without a GPU: a JSON list, or the path of a file with one, which may change while it is read.

    Each entry is a name, or an object: `name`, `uuid`, `memory_mib`, what Health has, and `lost`.
    """

    def __init__(self, said: str) -> None:
        self._said = said

    def gpus(self) -> list[Gpu]:
        """Those that are not lost."""
        return [Gpu(each["uuid"], each["name"], each["memory_mib"]) for each in self._all() if not each.get("lost")]

    def health(self, uuid: str) -> Health | None:
        """As written."""
        one = next((each for each in self._all() if each["uuid"] == uuid), None)
        if one is None or one.get("lost"):
            raise DeviceLost(f"the driver lost {uuid}")
        return Health(*(one.get(name) for name in Health.__dataclass_fields__))

    def _all(self) -> list[dict[str, Any]]:
        try:
            text = self._said if self._said.lstrip().startswith("[") else Path(self._said).read_text()
            entries = [{"name": each} if isinstance(each, str) else dict(each) for each in orjson.loads(text)]
        except (OSError, orjson.JSONDecodeError) as error:
            raise SettingsInvalid(f"GRADYARD_FAKE_GPUS: {error}") from None
        defaults = ({"uuid": f"GPU-fake-{index}", "memory_mib": FAKE_MEMORY_MIB} for index in range(len(entries)))
        return [default | entry for default, entry in zip(defaults, entries, strict=True)]


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
