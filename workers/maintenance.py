"""The maintenance process of each pool: expired leases, lost bells, old rows, free space. Any number may run at once.

It reads first, and writes only where there is something to change.
"""

import os
import platform
import time

import structlog

from gradyard.broker import when_to_ring
from gradyard.broker.producer import Bells
from gradyard.jobs import settings as environment
from gradyard.jobs.errors import GradyardError
from gradyard.jobs.fleet import WORKER_QUEUES, FleetCounter, Queue
from gradyard.jobs.settings import Settings
from gradyard.processes.stop_signal import StopSignal
from gradyard.store import fleet, lifecycle
from gradyard.store.database import Database
from gradyard.store.upkeep import space
from workers.logs import write_logs

log = structlog.get_logger()

TIDY_SECONDS = 60.0  # between two deletions of old rows
GIVE_BACK_SECONDS = 0.1  # of each round, in steps, while SQLite has pages of deleted rows
WORKERS_KEPT_SECONDS = 3600.0  # after the last heartbeat


class Maintenance:
    """One round is `tick()`, once a second; as many processes do it at once as there are pools."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database = Database(settings.database, pool_size=1)
        self._bells = Bells(settings)
        self._actor = f"maintenance@{platform.node()} (pid {os.getpid()})"
        self._last_tick_at = time.monotonic()
        self._may_expire_from = self._last_tick_at
        self._tidied_at = 0.0

    def tick(self) -> None:
        """Do one round. Raises DatabaseUnavailable where the database does not answer."""
        with self._database.read() as connection:
            expired = lifecycle.lease_expired(connection)
            due = [queue for queue in WORKER_QUEUES if when_to_ring.due(connection, queue)]
            answered = [queue for queue in WORKER_QUEUES if when_to_ring.answered(connection, queue)]
        if expired and self._may_expire():
            moved = self._expire()
            log.warning("leases expired", jobs=moved)
            due = due or (list(WORKER_QUEUES) if moved else [])
        for queue in due:
            self._ring(queue)
        for queue in answered:
            with self._database.begin() as connection:
                when_to_ring.reset_pause(connection, queue)
        space.give_back(self._database, GIVE_BACK_SECONDS)
        self._tidy()
        self._last_tick_at = time.monotonic()

    def _expire(self) -> int:
        """Move the jobs of expired leases and return how many. In slices: others may write in between."""
        moved, more = 0, True
        while more:
            with self._database.begin() as connection:
                lost = lifecycle.expire_claims(connection, actor=self._actor)
                fleet.count(connection, f"maintenance@{platform.node()}", {FleetCounter.LEASES_LOST: lost})
                moved += lost
                more = lifecycle.lease_expired(connection)
        return moved

    def _may_expire(self) -> bool:
        """Whether leases may be expired. After a sleep of this process, others first get the time to renew theirs."""
        if time.monotonic() - self._last_tick_at > max(5.0, 3 * self._settings.maintenance_seconds):
            self._may_expire_from = time.monotonic() + self._settings.lease_seconds
        return time.monotonic() >= self._may_expire_from

    def _ring(self, queue: Queue) -> None:
        with self._database.read() as connection:
            slots = fleet.idle_slots(connection).get(queue, 0)
        if self._bells.ring_many(queue, max(1, slots)):
            with self._database.begin() as connection:
                when_to_ring.rung(connection, queue)

    def _tidy(self) -> None:
        if time.monotonic() - self._tidied_at < TIDY_SECONDS:
            return
        self._tidied_at = time.monotonic()
        with self._database.begin() as connection:
            lifecycle.forget_old_keys(connection, self._settings.idempotency_hours)
            fleet.forget_workers(connection, WORKERS_KEPT_SECONDS)
        space.cut_log(self._database)

    def close(self) -> None:
        """Close the connections."""
        self._database.close()


def main() -> None:
    """Run maintenance until SIGTERM or Ctrl-C."""
    settings = environment.load()
    write_logs(settings, {"maintenance": f"{platform.node()} (pid {os.getpid()})"})
    stop = StopSignal()
    maintenance = Maintenance(settings)
    while not stop.requested():
        try:
            maintenance.tick()
        except GradyardError as error:  # away, full, or not upgraded yet; the next round may succeed
            log.warning("maintenance failed", error=str(error))
        stop.wait(settings.maintenance_seconds)
    maintenance.close()


if __name__ == "__main__":
    main()
