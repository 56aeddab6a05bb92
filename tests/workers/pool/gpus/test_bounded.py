"""A driver that hangs blocks no caller, and after a minute its GPU counts as lost."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.stack.until import until
from workers.pool.gpus import bounded
from workers.pool.gpus.bounded import BoundedInventory
from workers.pool.gpus.inventory import DeviceLost, Gpu, Health, InUse


class Driver:
    """A driver that answers while `works` is set, and hangs otherwise."""

    def __init__(self) -> None:
        self.works = threading.Event()
        self.works.set()
        self.asked = 0

    def gpus(self) -> list[Gpu]:
        return []

    def health(self, uuid: str) -> Health | None:
        self.asked += 1
        self.works.wait(600)
        if uuid != "GPU-1":
            raise DeviceLost(uuid)
        return Health(50.0)

    def in_use(self, uuid: str) -> InUse | None:
        return InUse(7)


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Driver]:
    monkeypatch.setattr(bounded, "ANSWER_SECONDS", 0.1)
    monkeypatch.setattr(bounded, "HUNG_SECONDS", 2.0)
    driver = Driver()
    yield driver
    driver.works.set()


def test_the_drivers_answers_are_passed_on(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "ANSWER_SECONDS", 60.0)
    inventory = BoundedInventory(driver)
    assert (inventory.health("GPU-1"), inventory.in_use("GPU-1"), inventory.gpus()) == (Health(50.0), InUse(7), [])
    with pytest.raises(DeviceLost, match="GPU-2"):
        inventory.health("GPU-2")


def test_a_driver_that_hangs_is_asked_once_and_waited_for_briefly(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded, "HUNG_SECONDS", 600.0)
    inventory = BoundedInventory(driver)
    driver.works.clear()
    begin = time.monotonic()
    assert [inventory.health("GPU-1"), inventory.in_use("GPU-1"), inventory.health("GPU-1")] == [None, None, None]
    assert time.monotonic() - begin < 60
    assert driver.asked == 1


def test_a_driver_that_hangs_for_long_has_lost_its_gpu_until_it_answers_again(driver: Driver) -> None:
    inventory = BoundedInventory(driver)
    driver.works.clear()
    assert inventory.health("GPU-1") is None
    until(lambda: is_lost(inventory))
    with pytest.raises(DeviceLost, match="has not answered"):
        inventory.health("GPU-1")
    driver.works.set()
    until(lambda: answer_of(inventory) == Health(50.0))


def is_lost(inventory: BoundedInventory) -> bool:
    try:
        inventory.health("GPU-1")
    except DeviceLost:
        return True
    return False


def answer_of(inventory: BoundedInventory) -> Health | None:
    with suppress(DeviceLost):
        return inventory.health("GPU-1")
    return None
