"""What can be asked of a host's GPUs. `choose.py` knows who answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Gpu:
    """One GPU, or one MIG instance of one, by the UUID that CUDA_VISIBLE_DEVICES takes.

    `number` is the driver's, as nvidia-smi shows it, and of an instance "GPU.INSTANCE"; memory in MiB, 0 where the
    driver does not report it.
    """

    uuid: str
    name: str
    memory_mib: int
    number: str = "0"


@dataclass(frozen=True)
class Health:
    """The readings of a GPU; None for those that its driver does not report, as of a MIG instance."""

    utilization_percent: float | None = None
    temperature_celsius: float | None = None
    memory_used_mib: int | None = None


@dataclass(frozen=True)
class InUse:
    """The memory of a GPU in use, in MiB: of all processes, and of each one that the driver reports, by pid."""

    all_mib: int
    by_process: Mapping[int, int] = field(default_factory=dict)


class DeviceLost(Exception):
    """The driver does not reach the GPU any more. A reset or a reboot may bring it back."""


class Inventory(Protocol):
    """The GPUs of a host."""

    def gpus(self) -> list[Gpu]:
        """Every GPU that is not lost, in the driver's order."""
        ...

    def health(self, uuid: str) -> Health | None:
        """The readings of one GPU; None where they are not known. Raises DeviceLost where it is lost."""
        ...

    def in_use(self, uuid: str) -> InUse | None:
        """The memory of one GPU in use; None where it is not known. Raises DeviceLost where it is lost."""
        ...
