"""The inventory of this host: by NVML, or by a list that a test has written."""

from jobs.settings import Settings
from workers.fake_inventory import Fake
from workers.inventory import Inventory
from workers.nvml_inventory import Nvml
from workers.patient_inventory import Patient


def inventory_of(settings: Settings) -> Inventory:
    """One that answers in time, whatever its driver does."""
    return Patient(Fake(settings.fake_gpus) if settings.fake_gpus else Nvml())
