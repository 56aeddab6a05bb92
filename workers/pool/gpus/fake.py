"""GPUs for machines without one, by a JSON list or the path of a file with one. The file may change at any time."""

from pathlib import Path
from typing import Any

import orjson

from gradyard.jobs.errors import SettingsInvalid
from workers.pool.gpus.inventory import DeviceLost, Gpu, Health, InUse

MEMORY_MIB = 81_920
ANY_DEVICE = "GPU-fake-"  # begins the UUIDs that the list leaves out; two hosts may have the same ones


class FakeInventory:
    """The GPUs of a list. Each entry is a name, or an object of `name`, `uuid`, `memory_mib`, `lost`, Health's fields.

    `processes` has the MiB of each process by pid. On a GPU that `fails` no runner computes: it reports that text.
    """

    def __init__(self, entries: str) -> None:
        self._entries = entries

    def gpus(self) -> list[Gpu]:
        """Every GPU that is not lost, in the order of the list."""
        return [
            Gpu(each["uuid"], each["name"], each["memory_mib"], str(number))
            for number, each in enumerate(self._all()) if not each.get("lost")
        ]  # fmt: skip

    def health(self, uuid: str) -> Health | None:
        """The readings of one GPU, as listed. Raises DeviceLost where it is lost."""
        one = self._one(uuid)
        return Health(*(one.get(name) for name in Health.__dataclass_fields__))

    def in_use(self, uuid: str) -> InUse | None:
        """The memory of one GPU in use, as listed; None where it is not. Raises DeviceLost where it is lost."""
        one = self._one(uuid)
        processes = {int(pid): mib for pid, mib in one.get("processes", {}).items()}
        return InUse(one["memory_used_mib"], processes) if "memory_used_mib" in one else None

    def failure(self, uuid: str) -> str | None:
        """The error that a runner reports on this GPU; None where it computes."""
        return self._one(uuid).get("fails")

    def _one(self, uuid: str) -> dict[str, Any]:
        one = next((each for each in self._all() if each["uuid"] == uuid), None)
        if one is None or one.get("lost"):
            raise DeviceLost(f"the driver lost {uuid}")
        return one

    def _all(self) -> list[dict[str, Any]]:
        try:
            text = self._entries if self._entries.lstrip().startswith("[") else Path(self._entries).read_text()
            entries = [{"name": each} if isinstance(each, str) else dict(each) for each in orjson.loads(text)]
        except (OSError, orjson.JSONDecodeError) as error:
            raise SettingsInvalid(f"GRADYARD_FAKE_GPUS: {error}") from None
        defaults = ({"uuid": f"{ANY_DEVICE}{index}", "memory_mib": MEMORY_MIB} for index in range(len(entries)))
        return [default | entry for default, entry in zip(defaults, entries, strict=True)]
