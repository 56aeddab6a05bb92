"""An inventory that answers in time, also while its driver hangs: a heartbeat must not wait for a broken GPU."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from gradyard.processes.beside import Beside
from workers.pool.gpus.inventory import DeviceLost, Gpu, Health, InUse, Inventory

ANSWER_SECONDS = 5.0  # well below a lease
HUNG_SECONDS = 60.0  # a driver that does not answer for so long has lost its GPU

T = TypeVar("T")


class BoundedInventory:
    """Asks on a thread of its own. A thread that hangs in a driver cannot be ended; until it returns, none is added."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._hanging: Beside[Any] | None = None
        self._hangs_since = 0.0

    def gpus(self) -> list[Gpu]:
        """Every GPU that is not lost, in the driver's order. This call alone waits without a limit."""
        return self._inventory.gpus()

    def health(self, uuid: str) -> Health | None:
        """The readings of one GPU; None where the driver does not answer in time. DeviceLost after a minute of that."""
        return self._answer(lambda: self._inventory.health(uuid))

    def in_use(self, uuid: str) -> InUse | None:
        """The memory in use of one GPU; None where the driver does not answer in time, DeviceLost after a minute."""
        return self._answer(lambda: self._inventory.in_use(uuid))

    def _answer(self, question: Callable[[], T]) -> T | None:
        if self._hanging is not None and not self._hanging.has_ended():
            if time.monotonic() - self._hangs_since > HUNG_SECONDS:
                raise DeviceLost(f"its driver has not answered for {HUNG_SECONDS:.0f} s")
            return None
        asked_at = time.monotonic()
        asking = Beside(question, "asks the driver")
        if asking.wait(ANSWER_SECONDS):
            self._hanging = None
            return asking.answer()
        self._hanging, self._hangs_since = asking, asked_at
        return None
