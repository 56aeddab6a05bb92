"""What jobs store is measured and added up, what the rules of projects let go is deleted, and old ids are forgotten,
as are old messages of webhooks and files that no job needs.

Maintenance does it beside its rounds, some at a time. Where several processes do, one of them finds the work done.
"""

import time
from collections.abc import Iterator

import structlog

from gradyard.jobs.errors import GradyardError
from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from gradyard.store.dialects import clock_of
from gradyard.store.files.unused import forget_unused
from gradyard.store.retention import totals
from gradyard.store.retention.expire import Expiry
from gradyard.store.retention.sizes import measure
from gradyard.store.upkeep import old_rows
from gradyard.store.webhooks.old_messages import forget_messages
from workers.unclaimed_contents import UnclaimedContents

log = structlog.get_logger()

PAUSE_SECONDS = 60.0  # between two runs, longer where adding up takes over a hundredth of that
ADDING_UP_SHARE = 0.01  # of the time, at most
MARGIN_SECONDS = 120.0  # the end of a job is seen after its commit, later than the time in it
WHOLE_SECONDS = 6 * 3600.0  # from the first job on, since a clock that was set back dates jobs before those measured
LEAP_SECONDS, HELD_SECONDS = 3600.0, 86_400.0
MOST_SLICES = 300  # of deletion in one run, so that the sums are made anew in between


class StorageUpkeep:
    """One run after another; `work` goes on with the present one.

    A clock that was set forward makes every job old. So nothing is deleted for a day after such a leap, or after a
    start over an hour after the last sums, which may be one; nor while the database and this host differ about it.
    """

    def __init__(self, database: Database, settings: Settings, *, actor: str, counted_by: str) -> None:
        self._database, self._settings = database, settings
        self._actor, self._counted_by = actor, counted_by
        self._contents = UnclaimedContents(settings)
        self._steps: Iterator[None] | None = None
        self._next_at = self._whole_at = time.monotonic()
        self._ahead: float | None = None  # the database's clock, of this host's steady one
        self._held_until = 0.0  # by the steady clock

    def work(self, seconds: float) -> None:
        """Go on for about so many seconds, if there is something to do.

        A run that fails, as where a lock is held for long, is told in the log and begun anew a minute later: leases and
        bells must not wait for it.
        """
        until = time.monotonic() + seconds
        if self._steps is None:
            if time.monotonic() < self._next_at:
                return
            self._next_at = time.monotonic() + PAUSE_SECONDS
            self._steps = self._run()
        try:
            for _ in self._steps:
                if time.monotonic() >= until:
                    return
        except GradyardError as error:
            log.warning("measuring what is stored, or retention, failed", error=str(error))
        except Exception:
            log.exception("measuring what is stored, or retention, failed")
        self._steps = None

    def _run(self) -> Iterator[None]:
        with self._database.read() as connection:
            moment = clock_of(connection)
            age, measured = totals.seconds_since_added_up(connection), totals.measured_to(connection)
        if age is not None and 0 <= age < PAUSE_SECONDS / 2:
            return
        yield from self._measure(measured, moment)
        begin = time.monotonic()
        totals.add_up(self._database, measured)
        pause = max(PAUSE_SECONDS, (time.monotonic() - begin) / ADDING_UP_SHARE)
        self._next_at = time.monotonic() + pause
        if not self._is_believed(age):
            return
        yield from self._expire(list(measured))
        yield from old_rows.forget_deleted_ids(
            self._database, self._settings.deleted_ids_days, self._settings.max_deleted_ids
        )
        yield from forget_messages(self._database, self._settings.webhook_days, self._settings.max_webhook_messages)
        yield from self._forget_files()

    def _forget_files(self) -> Iterator[None]:
        yield from forget_unused(self._database, self._settings.unused_file_days)
        self._contents.wake()

    def _measure(self, measured: dict[int, float], moment: float) -> Iterator[None]:
        whole = time.monotonic() >= self._whole_at
        for project_id, before in measured.items():
            yield from measure(self._database, project_id, 0.0 if whole else before - MARGIN_SECONDS)
            measured[project_id] = moment
        if whole:
            self._whole_at = time.monotonic() + WHOLE_SECONDS

    def _is_believed(self, age: float | None) -> bool:
        """Whether the database's clock was not set. age: how long before the run, by that clock, sums were made."""
        with self._database.read() as connection:
            moment = clock_of(connection)
        steady, here = _steady(), time.time()  # of the same moment: what was measured before may have taken hours
        ahead, before = moment - steady, self._ahead
        self._ahead = ahead
        leaps = ahead - before if before is not None else age or 0.0  # the first run knows no other clock than the sums
        if abs(leaps) > LEAP_SECONDS or (before is None and leaps < 0):
            self._held_until = steady + HELD_SECONDS
        apart = abs(moment - here) > LEAP_SECONDS
        if not apart and steady >= self._held_until:
            return True
        why = "this host and the database differ about the time" if apart else "the database's clock may have been set"
        log.warning("retention deletes nothing now", why=why)
        return False

    def _expire(self, projects: list[int]) -> Iterator[None]:
        left, settings = MOST_SLICES, self._settings
        whose = settings.retention_rule, 3600.0 * settings.idempotency_hours, self._actor, self._counted_by
        for project_id in projects:
            expiry = Expiry(self._database, project_id, *whose)
            for _ in expiry.slices():
                left -= 1
                if not left:
                    break
                yield
            if expiry.done.jobs:
                done, kept = expiry.done, str(expiry.rule)
                log.info("retention deleted jobs", project=project_id, jobs=done.jobs, bytes=done.bytes, kept=kept)
            if not left:
                self._next_at = time.monotonic()
                return


def _steady() -> float:
    """A clock that no one sets, and that goes on while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
