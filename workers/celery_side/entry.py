"""How a worker enters: its slot and its GPU must be free, and its name must be no other machine's."""

from uuid import UUID

import structlog
from sqlalchemy import Connection

from gradyard.jobs.errors import SlotTaken
from gradyard.jobs.settings import Settings
from gradyard.store import fleet, lifecycle
from gradyard.store.database import Database
from gradyard.store.fleet import WorkerInfo
from workers.pool.machine import lives

log = structlog.get_logger()


class Entry:
    """Registers a worker process. `attempt()` is called again and again while it raises SlotTaken."""

    def __init__(self, settings: Settings, worker: WorkerInfo) -> None:
        self._settings, self._worker = settings, worker
        self._namesake: tuple[UUID, float] | None = None  # its id and its heartbeat, when it was last looked at

    def attempt(self) -> int:
        """Register the worker and queue again what an earlier process of its slot held. Return how many jobs that were.

        Raises SlotTaken while an earlier process lives (another user's, whose lock this process cannot see), while
        another live worker has its GPU, and while a worker of another machine with this host's name has its slot and
        is not known to live. Once it is, this worker enters under another name.
        """
        settings, worker = self._settings, self._worker
        database = Database(settings.database, lock_timeout_seconds=5.0, pool_size=1)
        try:
            with database.begin() as connection:
                self._check_earlier(connection)
                self._check_name(connection)
                fleet.register(connection, worker, settings.lease_seconds)
                return lifecycle.hand_back_slot(connection, worker)
        finally:
            database.close()

    def _check_earlier(self, connection: Connection) -> None:
        for earlier in fleet.earlier_processes(connection, self._worker):
            if earlier.lease_seconds <= 0:
                continue
            if lives(earlier.pid, earlier.age):
                raise SlotTaken(f"{self._worker.address} is held by process {earlier.pid}")
            self._worker.slot = earlier.slot  # a slot that starts again keeps its name, and the holds on it

    def _check_name(self, connection: Connection) -> None:
        found = fleet.namesake(connection, self._worker)
        if found is None:
            return
        before, self._namesake = self._namesake, found
        address = self._worker.address
        if before in (None, self._namesake):  # it may be dead: its lease tells
            raise SlotTaken(f"another machine of the name {address.host} has {address}, until its lease ends")
        self._worker.take_another_name()
        log.error(
            "two machines have one host name; this slot takes another name, and each host should get a name of its own",
            host=address.host, slot=address.slot, now_called=self._worker.slot,
        )  # fmt: skip
