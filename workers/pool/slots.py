"""Gives each worker process of this host its device or its core."""

import os
from collections.abc import Collection
from dataclasses import dataclass, replace

from gradyard.jobs.errors import SettingsInvalid
from gradyard.jobs.fleet import Queue
from gradyard.jobs.settings import Settings
from workers.pool.gpus.choose import inventory_of
from workers.pool.gpus.inventory import Gpu

CPU_NAME = "cpu"


@dataclass(frozen=True)
class Slot:
    """A worker process to start: its name on this host, its queue, and the device or cores of its own."""

    name: str
    queue: Queue
    cpus: tuple[int, ...] = ()
    gpu: Gpu | None = None
    shares_gpu: bool = False

    def settings(self) -> dict[str, object]:
        """The settings of the slot's process, by name."""
        values: dict[str, object] = {"slot": self.name, "device": self.queue.value, "cpus": self.cpus}
        if self.gpu is None:
            return values | {"device_name": CPU_NAME}
        return values | {
            "device_name": self.gpu.name, "device_uuid": self.gpu.uuid, "device_memory_mib": self.gpu.memory_mib,
            "device_shared": self.shares_gpu,
        }  # fmt: skip

    def environment(self) -> dict[str, str]:
        """The settings as variables, and CUDA_VISIBLE_DEVICES, which must be set before torch is imported."""
        variables = {f"GRADYARD_{name.upper()}": str(value) for name, value in self.settings().items()}
        variables["GRADYARD_CPUS"] = f"[{','.join(map(str, self.cpus))}]"
        return variables | {"CUDA_VISIBLE_DEVICES": self.gpu.uuid if self.gpu else ""}


def usable_cpus() -> list[int]:
    """The cores that this process may use; numbered from 0 where the system does not tell."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def why_not_pinned() -> str | None:
    """What a pool says where the system lets no process be pinned to a core; None on Linux."""
    if hasattr(os, "sched_setaffinity"):
        return None
    return "this system pins no process to a core: slots share all of them, and timings vary more; bits do not"


def default_cpu_slots() -> int:
    """max(1, min(4, cores // 2)), which leaves cores for the API, the database and Redis."""
    return max(1, min(4, len(usable_cpus()) // 2))


def visible_gpus(settings: Settings) -> dict[str, Gpu]:
    """The GPUs that this process may use, by their number on this host: all, or those in CUDA_VISIBLE_DEVICES."""
    gpus = {gpu.number: gpu for gpu in inventory_of(settings).gpus()}
    visible = settings.visible_devices
    return gpus if visible is None else _chosen(gpus, visible)


def _chosen(gpus: dict[str, Gpu], wanted: str, where: str = "CUDA_VISIBLE_DEVICES") -> dict[str, Gpu]:
    """The GPUs that a list names, separated by commas: each by its number, its UUID, or the beginning of its UUID.

    A name that is not found ends the list of CUDA_VISIBLE_DEVICES, as in CUDA; in an option it raises SettingsInvalid.
    """
    chosen: dict[str, Gpu] = {}
    for name in (part.strip() for part in wanted.split(",") if part.strip()):
        fits = [index for index, gpu in gpus.items() if index == name or gpu.uuid.startswith(name)]
        if len(fits) != 1 and where != "CUDA_VISIBLE_DEVICES":
            there = ", ".join(f"{index} ({gpu.uuid}, {gpu.name})" for index, gpu in gpus.items()) or "none"
            raise SettingsInvalid(f"{where} {name}: there is no such GPU; there are {there}")
        if len(fits) != 1:
            break
        chosen[fits[0]] = gpus[fits[0]]
    return chosen


def slots_of_host(
    cpu_slots: int, gpus: str, queues: Collection[Queue], settings: Settings, slots_per_gpu: int = 1
) -> list[Slot]:
    """The slots of this host: CPU slots with a core of their own each, and `slots_per_gpu` of each GPU.

    `gpus` is "all", "none", or a list of numbers and UUIDs separated by commas. Raises SettingsInvalid where there is
    no such GPU, and where more CPU slots are asked for than there are cores.
    """
    cores = usable_cpus()
    if Queue.CPU in queues and cpu_slots > len(cores):
        raise SettingsInvalid(
            f"--cpu-slots {cpu_slots}: this host has {len(cores)} usable cores, and each slot takes one"
        )
    # The last cores first: interrupts and other programs prefer the first.
    count = cpu_slots if Queue.CPU in queues else 0
    cpu = [Slot(f"{Queue.CPU}-{index}", Queue.CPU, (cores[-1 - index],)) for index in range(count)]
    if Queue.GPU not in queues or gpus == "none":
        return cpu
    visible = visible_gpus(settings)
    chosen = visible if gpus == "all" else _chosen(visible, gpus, "--gpus")
    return cpu + [slot for index, gpu in chosen.items() for slot in _slots_of(index, gpu, slots_per_gpu)]


def _slots_of(index: str, gpu: Gpu, count: int) -> list[Slot]:
    """The slots of one GPU, which share its memory evenly."""
    if count == 1:
        return [Slot(f"{Queue.GPU}-{index}", Queue.GPU, gpu=gpu)]
    share = replace(gpu, memory_mib=gpu.memory_mib // count)
    return [Slot(f"{Queue.GPU}-{index}-{part}", Queue.GPU, gpu=share, shares_gpu=True) for part in range(count)]
