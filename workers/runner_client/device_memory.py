"""Whose memory of a GPU is in use: what a pack may take, and whether a killed runner's came back.

Where it does not come back, the device is no good for another runner. What others use says nothing about the device.
"""

import time
from collections.abc import Callable
from contextlib import suppress

from gradyard.jobs.settings import Settings
from workers.pool.gpus.choose import inventory_of
from workers.pool.gpus.inventory import DeviceLost, InUse

FREED_SECONDS = 10.0  # the driver takes up to seconds to clean up after a kill
NOTE_SECONDS = 2.0
SLACK_MIB = 512


class DeviceMemory:
    """Of the GPU of one slot. Of one that several slots share nobody can tell whose memory is missing."""

    def __init__(self, settings: Settings) -> None:
        self._uuid, self._shared = settings.device_uuid, settings.device_shared
        self._total = settings.device_memory_mib or None
        self._inventory = inventory_of(settings)
        self._others: int | None = None  # in use while no runner of ours lives
        self._runner: int | None = None  # the pid of the last one
        self._told_of = False  # the driver names that process; in a container it may not
        self._most = 0  # in use while it lived
        self._noted_at = float("-inf")

    def look(self) -> None:
        """DeviceLost where the driver does not reach the device."""
        if self._uuid:
            self._inventory.health(self._uuid)

    def note(self, runner: int | None) -> None:
        """Look, every few seconds at most, what is in use while this runner lives (None: none does)."""
        if self._uuid and time.monotonic() - self._noted_at >= NOTE_SECONDS:
            self._noted_at = time.monotonic()
            with suppress(DeviceLost):
                self._take(self._inventory.in_use(self._uuid), runner)

    def _take(self, use: InUse | None, runner: int | None) -> None:
        if use is None:
            return
        if runner is None:
            self._others = use.all_mib if self._others is None else self._others
            return
        if runner != self._runner:
            self._runner, self._told_of, self._most = runner, False, 0
        self._most = max(self._most, use.all_mib)
        if runner in use.by_process:
            self._told_of = True
            self._others = max(0, use.all_mib - use.by_process[runner])

    def free_mib(self, runner: int | None = None) -> int | None:
        """All but what others use; of a shared GPU our part. None where nobody knows."""
        self.note(runner)
        used = 0 if self._shared else self._others
        return None if self._total is None or used is None else max(0, self._total - used)

    def wait_until_free(self, give_up: Callable[[], bool]) -> None:
        """Return as soon as the last runner's memory is free; DeviceLost where that never comes."""
        until = time.monotonic() + FREED_SECONDS
        while (use := self._inventory.in_use(self._uuid) if self._uuid else None) and not self._is_free(use):
            if time.monotonic() > until or give_up():
                raise DeviceLost(
                    f"{FREED_SECONDS:.0f} s after its runner ended {use.all_mib:,} MiB are in use; "
                    f"{self._others or 0:,} MiB are others'"
                )
            time.sleep(0.1)
        if use is not None:
            self._others, self._runner = use.all_mib, None

    def _is_free(self, use: InUse) -> bool:
        """Whether what is in use may all be others'."""
        if self._shared or self._runner is None or use.all_mib <= (self._others or 0) + SLACK_MIB:
            return True
        if self._told_of:
            return self._runner not in use.by_process
        # Something came back, and it can only have been ours; or others took more meanwhile, and nobody can tell.
        return not self._most - SLACK_MIB <= use.all_mib <= self._most + SLACK_MIB
