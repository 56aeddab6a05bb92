"""The GPUs of a host by NVML, NVIDIA's own library. A host without the library has none."""

from collections.abc import Iterator
from typing import Any

import structlog

from workers.pool.gpus.inventory import DeviceLost, Gpu, Health, InUse

UNKNOWN_TIMES = 5  # so many unknown errors in a row mean that the GPU is lost

log = structlog.get_logger()


class NvmlInventory:
    """Asks each GPU by its own handle: NVML's look-up by UUID fails for every GPU of a host where one is lost."""

    def __init__(self) -> None:
        self._nvml: Any = None
        self._handles: dict[str, Any] = {}
        self._unknown: dict[str, int] = {}
        try:
            import pynvml
        except ImportError:
            return
        try:
            pynvml.nvmlInit()
            self._nvml = pynvml
        except pynvml.NVMLError as error:
            if error.value != pynvml.NVML_ERROR_LIBRARY_NOT_FOUND:  # no driver was ever installed here
                log.warning("the driver of the GPUs does not answer; none of them is used", error=str(error))

    def gpus(self) -> list[Gpu]:
        """Every GPU that is not lost. One that is cut into MIG instances is listed by those: CUDA uses nothing else."""
        return [gpu for number, handle in self._devices() if (gpu := self._gpu(number, handle)) is not None]

    def health(self, uuid: str) -> Health | None:
        """The readings of one GPU; None where the driver does not report them. Raises DeviceLost where it is lost."""
        if (used := self._used(uuid)) is None:
            return None
        handle = self._handles[uuid]
        load = self._ask(lambda nvml: float(nvml.nvmlDeviceGetUtilizationRates(handle).gpu))
        heat = self._ask(lambda nvml: float(nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)))
        return Health(load, heat, used)

    def in_use(self, uuid: str) -> InUse | None:
        """The memory of one GPU in use; in a container without processes. Raises DeviceLost where it is lost."""
        if (used := self._used(uuid)) is None:
            return None
        running = self._ask(lambda nvml: nvml.nvmlDeviceGetComputeRunningProcesses(self._handles[uuid])) or []
        sizes = {each.pid: each.usedGpuMemory for each in running}  # None where the driver does not report it
        return InUse(used, {pid: int(size // 2**20) for pid, size in sizes.items() if size is not None})

    def _used(self, uuid: str) -> int | None:
        """MiB in use of a GPU; None where the driver does not report it. Raises DeviceLost where it is lost."""
        if self._nvml is None:
            return None
        nvml = self._nvml
        try:
            used = int(nvml.nvmlDeviceGetMemoryInfo(self._handle(uuid)).used // 2**20)
        except nvml.NVMLError as error:
            self._handles.pop(uuid, None)
            self._unknown[uuid] = self._unknown.get(uuid, 0) + 1 if error.value == nvml.NVML_ERROR_UNKNOWN else 0
            lost = (nvml.NVML_ERROR_GPU_IS_LOST, nvml.NVML_ERROR_NOT_FOUND, nvml.NVML_ERROR_RESET_REQUIRED)
            if error.value in lost or self._unknown[uuid] >= UNKNOWN_TIMES:
                raise DeviceLost(f"the driver lost {uuid}: {error}") from None
            return None
        self._unknown[uuid] = 0
        return used

    def _handle(self, uuid: str) -> Any:
        if uuid not in self._handles:
            self._handles |= {gpu.uuid: handle for number, handle in self._devices()
                              if (gpu := self._gpu(number, handle)) is not None}  # fmt: skip
        if uuid not in self._handles:
            raise DeviceLost(f"the driver lost {uuid}: it is not among this host's GPUs")
        return self._handles[uuid]

    def _devices(self) -> Iterator[tuple[str, Any]]:
        """Number and handle of every GPU or MIG instance that the driver reaches."""
        for index in range(self._ask(lambda nvml: nvml.nvmlDeviceGetCount()) or 0) if self._nvml else ():
            handle = self._ask(lambda nvml, at=index: nvml.nvmlDeviceGetHandleByIndex(at))
            if handle is None:
                continue  # lost
            if self._ask(lambda nvml, of=handle: nvml.nvmlDeviceGetMigMode(of)[0]) != self._nvml.NVML_DEVICE_MIG_ENABLE:
                yield str(index), handle
                continue
            for part in range(self._ask(lambda nvml, of=handle: nvml.nvmlDeviceGetMaxMigDeviceCount(of)) or 0):
                instance = self._ask(lambda nvml, of=handle, at=part: nvml.nvmlDeviceGetMigDeviceHandleByIndex(of, at))
                if instance is not None:
                    yield f"{index}.{part}", instance

    def _gpu(self, number: str, handle: Any) -> Gpu | None:
        uuid = self._ask(lambda nvml: nvml.nvmlDeviceGetUUID(handle))
        name = self._ask(lambda nvml: nvml.nvmlDeviceGetName(handle)) or "GPU"
        total = self._ask(lambda nvml: int(nvml.nvmlDeviceGetMemoryInfo(handle).total // 2**20)) or 0
        return None if uuid is None else Gpu(_text(uuid), _text(name), total, number)

    def _ask(self, question: Any) -> Any:
        """The answer of the driver; None where it has none for such a device."""
        try:
            return question(self._nvml)
        except self._nvml.NVMLError:
            return None


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
