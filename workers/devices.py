"""Which devices this host has, and which one a process may see."""

import os
from dataclasses import dataclass

from jobs.errors import SettingsInvalid
from jobs.settings import Settings

CPU_NAME = "cpu"


@dataclass(frozen=True)
class Gpu:
    """One GPU by the name that the driver knows it by; memory in MiB."""

    uuid: str
    name: str
    memory_mib: int


@dataclass(frozen=True)
class Slot:
    """One worker process to be: its name on this host, its queue, and the device or cores that are its own."""

    name: str
    queue: str
    cpus: tuple[int, ...] = ()
    gpu: Gpu | None = None

    def environment(self) -> dict[str, str]:
        """What the slot's process must be told, as settings; CUDA_VISIBLE_DEVICES is set before torch is imported."""
        cpus = f"[{','.join(map(str, self.cpus))}]"
        names = {"GRADYARD_SLOT": self.name, "GRADYARD_DEVICE": self.queue, "GRADYARD_CPUS": cpus}
        if self.gpu is None:
            return names | {"GRADYARD_DEVICE_NAME": CPU_NAME, "CUDA_VISIBLE_DEVICES": ""}
        return names | {
            "GRADYARD_DEVICE_NAME": self.gpu.name, "GRADYARD_DEVICE_UUID": self.gpu.uuid,
            "GRADYARD_DEVICE_MEMORY_MIB": str(self.gpu.memory_mib), "CUDA_VISIBLE_DEVICES": self.gpu.uuid,
        }  # fmt: skip


def usable_cpus() -> list[int]:
    """The cores that this process may use; numbered from 0 where the system does not tell."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def default_cpu_slots() -> int:
    """max(1, min(4, cores // 2)): room is left for the API, the database and Redis."""
    return max(1, min(4, len(usable_cpus()) // 2))


def visible_gpus(settings: Settings) -> list[Gpu]:
    """The GPUs of this host, by NVML; the fake inventory of the settings instead, where there is one."""
    if settings.fake_gpus:
        return [Gpu(f"GPU-fake-{index}", name, 81920) for index, name in enumerate(settings.fake_gpus)]
    try:
        import pynvml
    except ModuleNotFoundError:
        return []
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []  # no driver here
    try:
        return [_gpu(pynvml, index) for index in range(pynvml.nvmlDeviceGetCount())]
    finally:
        pynvml.nvmlShutdown()


def _gpu(nvml: object, index: int) -> Gpu:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)  # type: ignore[attr-defined]
    memory = nvml.nvmlDeviceGetMemoryInfo(handle).total // 2**20  # type: ignore[attr-defined]
    uuid, name = nvml.nvmlDeviceGetUUID(handle), nvml.nvmlDeviceGetName(handle)  # type: ignore[attr-defined]
    return Gpu(_text(uuid), _text(name), memory)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def slots(cpu_slots: int, gpus: str, queues: list[str], settings: Settings) -> list[Slot]:
    """The slots of this host: CPU slots with a core of their own each, and one slot a GPU.

    SettingsInvalid where more CPU slots are asked for than there are cores.
    """
    cores = usable_cpus()
    if "cpu" in queues and cpu_slots > len(cores):
        raise SettingsInvalid(
            f"--cpu-slots {cpu_slots}: this host has {len(cores)} usable cores, and each slot takes one"
        )
    # The last cores first: interrupts and other programs prefer the first.
    cpu = [Slot(f"cpu-{index}", "cpu", (cores[-1 - index],)) for index in range(cpu_slots if "cpu" in queues else 0)]
    found = visible_gpus(settings) if "gpu" in queues and gpus == "all" else []
    return cpu + [Slot(f"gpu-{index}", "gpu", gpu=gpu) for index, gpu in enumerate(found)]
