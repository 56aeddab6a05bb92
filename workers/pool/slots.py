"""Which device, or which core, each process of this host may see."""

import os
from dataclasses import dataclass, replace

from gradyard.jobs.errors import SettingsInvalid
from gradyard.jobs.settings import Settings
from workers.pool.gpus.choose import inventory_of
from workers.pool.gpus.inventory import Gpu

CPU_NAME = "cpu"


@dataclass(frozen=True)
class Slot:
    """One worker process to be: its name on this host, its queue, and the device or cores that are its own."""

    name: str
    queue: str
    cpus: tuple[int, ...] = ()
    gpu: Gpu | None = None
    shares_gpu: bool = False

    def settings(self) -> dict[str, object]:
        """What the slot's process must know, by the names of its settings."""
        mine: dict[str, object] = {"slot": self.name, "device": self.queue, "cpus": self.cpus}
        if self.gpu is None:
            return mine | {"device_name": CPU_NAME}
        return mine | {
            "device_name": self.gpu.name, "device_uuid": self.gpu.uuid, "device_memory_mib": self.gpu.memory_mib,
            "device_shared": self.shares_gpu,
        }  # fmt: skip

    def environment(self) -> dict[str, str]:
        """The same as variables; CUDA_VISIBLE_DEVICES is there before torch is imported."""
        mine = {f"GRADYARD_{name.upper()}": str(value) for name, value in self.settings().items()}
        mine["GRADYARD_CPUS"] = f"[{','.join(map(str, self.cpus))}]"
        return mine | {"CUDA_VISIBLE_DEVICES": self.gpu.uuid if self.gpu else ""}


def usable_cpus() -> list[int]:
    """The cores that this process may use; numbered from 0 where the system does not tell."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def default_cpu_slots() -> int:
    """max(1, min(4, cores // 2)): room is left for the API, the database and Redis."""
    return max(1, min(4, len(usable_cpus()) // 2))


def visible_gpus(settings: Settings) -> dict[str, Gpu]:
    """The GPUs that this process may use, by their number on this host: all, but for what CUDA_VISIBLE_DEVICES says."""
    found = {gpu.number: gpu for gpu in inventory_of(settings).gpus()}
    said = settings.visible_devices
    return found if said is None else _named(found, said)


def _named(found: dict[str, Gpu], said: str, where: str = "CUDA_VISIBLE_DEVICES") -> dict[str, Gpu]:
    """Those that a list by comma names, each by its number or by its UUID or the beginning of one.

    As CUDA does with its variable, what it does not find ends the list; of an option it is refused.
    """
    chosen: dict[str, Gpu] = {}
    for name in (part.strip() for part in said.split(",") if part.strip()):
        fits = [index for index, gpu in found.items() if index == name or gpu.uuid.startswith(name)]
        if len(fits) != 1 and where != "CUDA_VISIBLE_DEVICES":
            there = ", ".join(f"{index} ({gpu.uuid}, {gpu.name})" for index, gpu in found.items()) or "none"
            raise SettingsInvalid(f"{where} {name}: there is no such GPU; there are {there}")
        if len(fits) != 1:
            break
        chosen[fits[0]] = found[fits[0]]
    return chosen


def slots_of_host(
    cpu_slots: int, gpus: str, queues: list[str], settings: Settings, slots_per_gpu: int = 1
) -> list[Slot]:
    """The slots of this host: CPU slots with a core of their own each, and so many slots a GPU.

    `gpus` is "all", "none", or a list by comma of numbers and UUIDs. SettingsInvalid where there is no such GPU, and
    where more CPU slots are asked for than there are cores.
    """
    cores = usable_cpus()
    if "cpu" in queues and cpu_slots > len(cores):
        raise SettingsInvalid(
            f"--cpu-slots {cpu_slots}: this host has {len(cores)} usable cores, and each slot takes one"
        )
    # The last cores first: interrupts and other programs prefer the first.
    cpu = [Slot(f"cpu-{index}", "cpu", (cores[-1 - index],)) for index in range(cpu_slots if "cpu" in queues else 0)]
    if "gpu" not in queues or gpus == "none":
        return cpu
    found = visible_gpus(settings)
    chosen = found if gpus == "all" else _named(found, gpus, "--gpus")
    return cpu + [slot for index, gpu in chosen.items() for slot in _slots_of(index, gpu, slots_per_gpu)]


def _slots_of(index: str, gpu: Gpu, count: int) -> list[Slot]:
    """Several slots of one GPU share its memory evenly."""
    if count == 1:
        return [Slot(f"gpu-{index}", "gpu", gpu=gpu)]
    share = replace(gpu, memory_mib=gpu.memory_mib // count)
    return [Slot(f"gpu-{index}-{part}", "gpu", gpu=share, shares_gpu=True) for part in range(count)]
