"""Tracks who uses a GPU's memory: how much a pack may take, and whether a killed runner's memory was freed.

Where it is not freed, the GPU cannot be used by another runner. What other processes use says nothing about the GPU.
"""

import time
from collections.abc import Callable
from contextlib import suppress

from gradyard.jobs.settings import Settings
from workers.pool.gpus.choose import inventory_of
from workers.pool.gpus.inventory import DeviceLost, InUse

FREED_SECONDS = 10.0  # a driver takes up to seconds to free the memory of a killed process
NOTE_SECONDS = 2.0  # between two readings
SLACK_MIB = 512


class DeviceMemory:
    """The memory of one slot's GPU. Of a GPU that several slots share, missing memory cannot be told apart."""

    def __init__(self, settings: Settings) -> None:
        self._uuid, self._shared = settings.device_uuid, settings.device_shared
        self._total = settings.device_memory_mib or None
        self._inventory = inventory_of(settings)
        self._others: int | None = None  # MiB in use while no runner of this slot lives
        self._runner: int | None = None  # the pid of the last runner
        self._driver_names_runner = False  # in a container it may not
        self._most = 0  # MiB in use at most while that runner lived
        self._noted_at = float("-inf")

    def look(self) -> None:
        """Ask the driver for the GPU. Raises DeviceLost where the driver does not reach it."""
        if self._uuid:
            self._inventory.health(self._uuid)

    def note(self, runner: int | None) -> None:
        """Read the memory in use, every few seconds at most. `runner` is the pid of this slot's runner, if it lives."""
        if self._uuid and time.monotonic() - self._noted_at >= NOTE_SECONDS:
            self._noted_at = time.monotonic()
            with suppress(DeviceLost):
                self._take(self._inventory.in_use(self._uuid), runner)

    def _take(self, use: InUse | None, runner: int | None) -> None:
        if use is None:
            return
        if self._others is not None:  # it may have been read before the driver freed an earlier worker's runner
            self._others = min(self._others, use.all_mib)
        elif runner is None:
            self._others = use.all_mib
        if runner is None:
            return
        if runner != self._runner:
            self._runner, self._driver_names_runner, self._most = runner, False, 0
        self._most = max(self._most, use.all_mib)
        if runner in use.by_process:
            self._driver_names_runner = True
            self._others = max(0, use.all_mib - use.by_process[runner])

    def free_mib(self, runner: int | None = None) -> int | None:
        """MiB that a pack may take: all but what others use, or the slot's part of a shared GPU. None where unknown."""
        self.note(runner)
        used = 0 if self._shared else self._others
        return None if self._total is None or used is None else max(0, self._total - used)

    def wait_until_free(self, give_up: Callable[[], bool]) -> None:
        """Return once the last runner's memory is free. Raises DeviceLost where it is not within `FREED_SECONDS`."""
        until = time.monotonic() + FREED_SECONDS
        while (use := self._inventory.in_use(self._uuid) if self._uuid else None) and not self._is_free(use):
            if time.monotonic() > until or give_up():
                raise DeviceLost(
                    f"{FREED_SECONDS:.0f} s after its runner ended {use.all_mib:,} MiB are in use; "
                    f"{self._others or 0:,} MiB of them by other processes"
                )
            time.sleep(0.1)
        if use is not None:
            self._others, self._runner = use.all_mib, None

    def _is_free(self, use: InUse) -> bool:
        """Whether other processes may be using all of the memory that is in use."""
        if self._shared or self._runner is None or use.all_mib <= (self._others or 0) + SLACK_MIB:
            return True
        if self._driver_names_runner:
            return self._runner not in use.by_process
        # Some memory was freed, which can only be the runner's; or others took more meanwhile, and the two cannot be
        # told apart.
        return not self._most - SLACK_MIB <= use.all_mib <= self._most + SLACK_MIB
