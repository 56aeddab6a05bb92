"""Chooses the inventory of this host: NVML, or a list that a test has written."""

from gradyard.jobs.settings import Settings
from workers.pool.gpus.bounded import BoundedInventory
from workers.pool.gpus.fake import FakeInventory
from workers.pool.gpus.inventory import Inventory
from workers.pool.gpus.nvml import NvmlInventory


def inventory_of(settings: Settings) -> Inventory:
    """An inventory that answers in time, also while its driver hangs."""
    return BoundedInventory(FakeInventory(settings.fake_gpus) if settings.fake_gpus else NvmlInventory())
