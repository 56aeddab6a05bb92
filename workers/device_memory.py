"""Whether a killed runner's memory came back to its GPU. Where it does not, the device is no good for another."""

import time
from collections.abc import Callable
from contextlib import suppress

from jobs.settings import Settings
from workers.inventory import DeviceLost, inventory_of

FREED_SECONDS = 10.0  # the driver takes up to seconds to clean up after a kill
SLACK_MIB = 512


class DeviceMemory:
    """Of the GPU of one slot. Of one that several slots share nobody can tell whose memory is missing."""

    def __init__(self, settings: Settings) -> None:
        self._uuid, self._shared = settings.device_uuid, settings.device_shared
        self._total = settings.device_memory_mib
        self._inventory = inventory_of(settings)
        self._used_before: int | None = None  # by others, before our first runner

    def look(self) -> None:
        """DeviceLost where the driver does not reach the device."""
        if self._uuid:
            self._inventory.health(self._uuid)

    def free_mib(self) -> int | None:
        """All but what others used before our first runner; of a shared GPU our part. None where nobody knows."""
        if self._used_before is None:
            with suppress(DeviceLost):
                self._used_before = self._used()
        used = 0 if self._shared else self._used_before
        return None if self._total is None or used is None else max(0, self._total - used)

    def wait_until_free(self, give_up: Callable[[], bool]) -> None:
        """Return as soon as no more is used than before the first runner; DeviceLost where that never comes."""
        used = self._used()
        if self._used_before is None:
            self._used_before = used
        until = time.monotonic() + FREED_SECONDS
        while used is not None and not self._shared and used > (self._used_before or 0) + SLACK_MIB:
            if time.monotonic() > until or give_up():
                before = f"{self._used_before or 0:,} MiB were before"
                raise DeviceLost(f"{FREED_SECONDS:.0f} s after its runner ended {used:,} MiB are in use; {before}")
            time.sleep(0.1)
            used = self._used()

    def _used(self) -> int | None:
        health = self._inventory.health(self._uuid) if self._uuid else None
        return health.memory_used_mib if health else None
