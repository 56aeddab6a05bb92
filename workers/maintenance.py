"""The maintenance process of each pool: expired leases, lost bells, old rows, retention, free space, webhooks.

Any number may run at once.

It reads first, and writes only where there is something to change.
"""

import argparse
import os
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy import Connection

from gradyard.broker import when_to_ring
from gradyard.broker.producer import Bells
from gradyard.jobs import settings as environment
from gradyard.jobs.errors import GradyardError
from gradyard.jobs.fleet import WORKER_QUEUES, FleetCounter, Queue
from gradyard.jobs.settings import Settings
from gradyard.processes.private_memory import keep_memory_private
from gradyard.processes.stop_signal import StopSignal
from gradyard.store import fleet, lifecycle
from gradyard.store.database import Database
from gradyard.store.dialects import clock_of
from gradyard.store.upkeep import clock_steps, in_use, old_rows, space
from gradyard.store.upkeep.waits import end_forgotten_waits, end_waits
from gradyard.store.webhooks.notices import lost_workers, note_lost
from workers.clock_watch import ClockWatch
from workers.logs import write_logs
from workers.pool.rounds import Rounds
from workers.stopped_writer import StoppedWriter
from workers.storage_upkeep import StorageUpkeep
from workers.webhooks.sender import WebhookSender

log = structlog.get_logger()

TIDY_SECONDS = 60.0  # between two deletions of old rows
GIVE_BACK_SECONDS = 0.1  # of each round, in steps, while SQLite has pages of deleted rows
STORAGE_SECONDS = 0.2  # of each round, in steps, while there is something to measure or to delete
WAITS_SECONDS = 0.5  # of each round, in steps, while jobs wait for others that have ended
WORKERS_KEPT_SECONDS = 3600.0  # after the last heartbeat


class Maintenance:
    """One round is `tick()`, once a second; as many processes do it at once as there are pools."""

    def __init__(self, settings: Settings, clock: Callable[[Connection], float] = clock_of) -> None:
        self._settings, self._clock = settings, clock
        self._database = Database(settings.database, pool_size=1)
        self._bells = Bells(settings)
        self._actor = f"maintenance@{platform.node()} (pid {os.getpid()})"
        about = {"actor": self._actor, "counted_by": f"maintenance@{platform.node()}"}
        self._storage = StorageUpkeep(self._database, settings, **about)
        self.clock_watch = ClockWatch(settings.lease_seconds, settings.maintenance_seconds)
        self._tidied_at = 0.0

    def tick(self) -> None:
        """Do one round. Raises DatabaseUnavailable where the database does not answer."""
        try:
            self._round()
        except BaseException:
            self.clock_watch.failed()
            raise

    def _round(self) -> None:
        with self._database.snapshot() as connection:
            moment = self._clock(connection)
            even = self.clock_watch.is_even(moment)
            expired = lifecycle.expired_claims(connection, moment) if even else []
            lost = lost_workers(connection, moment) if even else []
            set_back = clock_steps.left_in_the_future(
                connection, moment, self._settings.lease_seconds, jobs_too=self.clock_watch.leapt
            )
            due = [queue for queue in WORKER_QUEUES if when_to_ring.due(connection, queue)]
            answered = [queue for queue in WORKER_QUEUES if when_to_ring.answered(connection, queue)]
        if set_back:
            self._cut_short(moment)
        if expired:
            moved = self._expire(expired, moment)
            due = due or (list(WORKER_QUEUES) if moved else [])
        self._tell(lost, moment)
        for queue in dict.fromkeys([*due, *self._released()]):
            self._ring(queue)
        for queue in answered:
            with self._database.begin() as connection:
                when_to_ring.reset_pause(connection, queue)
        space.give_back(self._database, GIVE_BACK_SECONDS)
        if even:
            self._tidy()
            self._storage.work(STORAGE_SECONDS)

    def _cut_short(self, moment: float) -> None:
        with self._database.begin() as connection:
            clock_steps.cut_short(connection, moment, self._settings.lease_seconds)
        log.warning("the database's clock was set back; leases and pauses were cut short")

    def _expire(self, claims: Sequence[UUID], moment: float) -> int:
        """Move the jobs of expired leases and return how many. A claim a transaction: others may write in between."""
        moved = 0
        for claim_id in claims:
            with self._database.begin() as connection:
                lost = lifecycle.expire_claim(connection, claim_id, actor=self._actor, as_of=moment)
                fleet.count(connection, f"maintenance@{platform.node()}", {FleetCounter.LEASES_LOST: lost})
            moved += lost
        if moved:
            log.warning("leases expired", jobs=moved)
        return moved

    def _released(self) -> list[Queue]:
        """The queues with jobs that waited for others until now."""
        return when_to_ring.queues_of(end_waits(self._database, WAITS_SECONDS, actor=self._actor))

    def _tell(self, lost: Sequence[UUID], moment: float) -> None:
        if not lost:
            return
        with self._database.begin() as connection:
            detail = "it sent no heartbeat for a lease"
            if told := note_lost(connection, lost, detail=detail, as_of=moment):
                log.warning("workers are lost", workers=told)

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
        end_forgotten_waits(self._database)
        old_rows.forget_keys(self._database, self._settings.idempotency_hours)
        old_rows.forget_workers(self._database, WORKERS_KEPT_SECONDS)
        space.cut_log(self._database)

    def close(self) -> None:
        """Close the connections."""
        self._database.close()


def main() -> None:
    """Run maintenance until SIGTERM or Ctrl-C."""
    keep_memory_private()
    rounds, settings = _rounds(), environment.load()
    write_logs(settings, {"maintenance": f"{platform.node()} (pid {os.getpid()})"})
    stop = StopSignal()
    if (file := in_use.file_of(settings.database)) is not None:
        StoppedWriter(file, settings.lease_seconds).watch()
    maintenance = Maintenance(settings)
    webhooks = WebhookSender(settings, f"maintenance@{platform.node()}")
    webhooks.start()
    while not stop.requested():
        try:
            maintenance.tick()
        except GradyardError as error:  # away, full, or not upgraded yet; the next round may succeed
            log.warning("maintenance failed", error=str(error))
        if rounds is not None and not webhooks.hangs():
            rounds.ended()
        stop.wait(settings.maintenance_seconds)
    webhooks.stop()
    maintenance.close()


def _rounds() -> Rounds | None:
    parser = argparse.ArgumentParser(prog="gradyard maintain", description=__doc__)
    parser.add_argument("--rounds", type=Path, help="a file to touch after each round, by which a pool sees a hang")
    path = parser.parse_args().rounds
    return Rounds(path) if path else None


if __name__ == "__main__":
    main()
