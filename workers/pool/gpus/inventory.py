"""What a host tells of its GPUs. Who tells it: `inventories`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Gpu:
    """One GPU, or one MIG instance of one, by the UUID that CUDA_VISIBLE_DEVICES takes.

    `number` is the driver's, as nvidia-smi shows it, and of an instance "GPU.INSTANCE"; memory in MiB, 0 where the
    driver does not tell.
    """

    uuid: str
    name: str
    memory_mib: int
    number: str = "0"


@dataclass(frozen=True)
class Health:
    """How a GPU is now; None for what its driver does not tell, as of a MIG instance."""

    utilization_percent: float | None = None
    temperature_celsius: float | None = None
    memory_used_mib: int | None = None


@dataclass(frozen=True)
class InUse:
    """The memory of a GPU that is in use, in MiB: all of it, and what each process has, as far as the driver tells."""

    all_mib: int
    by_process: Mapping[int, int] = field(default_factory=dict)


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

    def in_use(self, uuid: str) -> InUse | None:
        """The memory of that one that is in use; None where nobody can tell. Raises DeviceLost."""
        ...
