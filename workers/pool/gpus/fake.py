"""GPUs for machines without one: a JSON list, or the path of a file with one, which may change while it is read."""

from pathlib import Path
from typing import Any

import orjson

from gradyard.jobs.errors import SettingsInvalid
from workers.pool.gpus.inventory import DeviceLost, Gpu, Health, InUse

MEMORY_MIB = 81_920
ANY_DEVICE = "GPU-fake-"  # how the UUID of one begins that is no particular device: two hosts may have the same


class FakeInventory:
    """Each entry is a name, or an object: `name`, `uuid`, `memory_mib`, what Health has, `lost`.

    `processes` has the MiB of each by pid. Of one that `fails` no runner can compute: it says that text instead.
    """

    def __init__(self, said: str) -> None:
        self._said = said

    def gpus(self) -> list[Gpu]:
        """Those that are not lost."""
        return [
            Gpu(each["uuid"], each["name"], each["memory_mib"], str(number))
            for number, each in enumerate(self._all()) if not each.get("lost")
        ]  # fmt: skip

    def health(self, uuid: str) -> Health | None:
        """As written."""
        one = self._one(uuid)
        return Health(*(one.get(name) for name in Health.__dataclass_fields__))

    def in_use(self, uuid: str) -> InUse | None:
        """As written."""
        one = self._one(uuid)
        processes = {int(pid): mib for pid, mib in one.get("processes", {}).items()}
        return InUse(one["memory_used_mib"], processes) if "memory_used_mib" in one else None

    def failure(self, uuid: str) -> str | None:
        """What a runner shall say that tries to compute on it."""
        return self._one(uuid).get("fails")

    def _one(self, uuid: str) -> dict[str, Any]:
        one = next((each for each in self._all() if each["uuid"] == uuid), None)
        if one is None or one.get("lost"):
            raise DeviceLost(f"the driver lost {uuid}")
        return one

    def _all(self) -> list[dict[str, Any]]:
        try:
            text = self._said if self._said.lstrip().startswith("[") else Path(self._said).read_text()
            entries = [{"name": each} if isinstance(each, str) else dict(each) for each in orjson.loads(text)]
        except (OSError, orjson.JSONDecodeError) as error:
            raise SettingsInvalid(f"GRADYARD_FAKE_GPUS: {error}") from None
        defaults = ({"uuid": f"{ANY_DEVICE}{index}", "memory_mib": MEMORY_MIB} for index in range(len(entries)))
        return [default | entry for default, entry in zip(defaults, entries, strict=True)]
