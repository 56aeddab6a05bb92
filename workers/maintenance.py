"""A small process of each pool: leases that are over, bells that were lost, rows that are old. It needs no leader.

It reads first and writes only where there is something to move.
"""

import os
import platform
import time

import structlog

from gradyard.broker import when_to_ring
from gradyard.broker.celery_settings import QUEUES
from gradyard.broker.producer import Bells
from gradyard.jobs import settings as environment
from gradyard.jobs.errors import GradyardError
from gradyard.jobs.settings import Settings
from gradyard.processes.stop_signal import StopSignal
from gradyard.store import fleet, lifecycle
from gradyard.store.database import Database
from workers.logs import write_logs

log = structlog.get_logger()

TIDY_SECONDS = 60.0
WORKERS_KEPT_SECONDS = 3600.0


class Maintenance:
    """`tick()` once a second, in as many processes at once as there are pools."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database = Database(settings.database, pool_size=1)
        self._bells = Bells(settings)
        self._actor = f"maintenance@{platform.node()} (pid {os.getpid()})"
        self._good_at = time.monotonic()
        self._trusted_from = self._good_at
        self._tidied_at = 0.0

    def tick(self) -> None:
        """One look at the database; DatabaseUnavailable where there is none to look at."""
        with self._database.read() as connection:
            over = lifecycle.lease_expired(connection)
            due = [queue for queue in QUEUES if when_to_ring.due(connection, queue)]
            answered = [queue for queue in QUEUES if when_to_ring.answered(connection, queue)]
        if over and self._may_judge():
            moved = self._expire()
            log.warning("leases over", jobs=moved)
            due = due or (list(QUEUES) if moved else [])
        for queue in due:
            self._ring(queue)
        for queue in answered:
            with self._database.begin() as connection:
                when_to_ring.hushed(connection, queue)
        self._tidy()
        self._good_at = time.monotonic()

    def _expire(self) -> int:
        """Slice by slice: between two transactions, others may write."""
        moved, more = 0, True
        while more:
            with self._database.begin() as connection:
                lost = lifecycle.expire_claims(connection, actor=self._actor)
                fleet.count(connection, f"maintenance@{platform.node()}", {"lease_losses": lost})
                moved += lost
                more = lifecycle.lease_expired(connection)
        return moved

    def _may_judge(self) -> bool:
        """Whoever slept or was cut off lets the others renew their leases before it declares them lost."""
        if time.monotonic() - self._good_at > max(5.0, 3 * self._settings.maintenance_seconds):
            self._trusted_from = time.monotonic() + self._settings.lease_seconds
        return time.monotonic() >= self._trusted_from

    def _ring(self, queue: str) -> None:
        with self._database.read() as connection:
            slots = when_to_ring.idle_slots(connection, queue)
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

    def close(self) -> None:
        """Close its connections."""
        self._database.close()


def main() -> None:
    """Tick until SIGTERM or Ctrl-C."""
    settings = environment.load()
    write_logs(settings, {"maintenance": f"{platform.node()} (pid {os.getpid()})"})
    stop = StopSignal()
    maintenance = Maintenance(settings)
    while not stop.came():
        try:
            maintenance.tick()
        except GradyardError as error:  # away, full, or not upgraded yet: the next tick may find it otherwise
            log.warning("no tick", error=str(error))
        stop.wait(settings.maintenance_seconds)
    maintenance.close()


if __name__ == "__main__":
    main()
