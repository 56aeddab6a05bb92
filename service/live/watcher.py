"""Looks, in one query for all requests that wait, whether what they wait for has happened."""

import threading
import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from uuid import UUID

import structlog

from gradyard.jobs.errors import DatabaseUnavailable
from gradyard.store.changes import Changes, changes_of
from gradyard.store.database import Database
from service.live.pauses import Pauses
from service.live.waits import SELDOM_SECONDS, End, Wait

log = structlog.get_logger()

EARLY = 0.5  # of a pause: waits that are looked for together are so again
REST_SECONDS = 0.05  # where streams alone wait; a new wait ends it


class Watcher:
    """Its thread begins with the first wait, and rests while there is none. Waits hold no connection meanwhile."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Condition()
        self._waits: set[Wait] = set()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._looked_at = time.monotonic()
        self._next_at = float("inf")  # when a wait is due, by the monotonic clock
        self._none_is_prompt = False
        self._pauses = Pauses()

    def jobs_end(self, project_id: int, job_ids: Collection[UUID], seconds: float) -> bool:
        """Whether these jobs of the project end, or are deleted, within so many seconds, all of them.

        Raises DatabaseUnavailable where the database does not answer.
        """
        return self._wait(End(jobs=frozenset((project_id, job_id) for job_id in job_ids)), seconds)

    def batch_is_released(self, batch_id: UUID, seconds: float) -> bool:
        """Whether within so many seconds no running job of the batch is marked for a cancel. Raises as above."""
        return self._wait(End(batch=batch_id), seconds)

    def waits(self) -> int:
        """How many requests wait."""
        with self._lock:
            return len(self._waits)

    def age_seconds(self) -> float:
        """Seconds since the last look, while there is a wait; 0 while there is none."""
        with self._lock:
            return time.monotonic() - self._looked_at if self._waits else 0.0

    def close(self) -> None:
        """End the thread, and every wait as if its time were over."""
        with self._lock:
            self._closed = True
            waits, self._waits = self._waits, set()
            self._lock.notify_all()
        for each in waits:
            each.finished.set()
        if self._thread is not None:
            self._thread.join(timeout=2.0)

    def add(self, wait: Wait) -> None:
        """Look for this, until it is finished or removed. One that is closed finishes it at once."""
        with self._lock:
            if self._closed:
                wait.finished.set()
                return
            if not self._waits:
                self._looked_at = time.monotonic()
            self._waits.add(wait)
            self._next_at = min(self._next_at, wait.since)
            self._none_is_prompt &= not wait.is_prompt
            if wait.is_prompt:
                self._pauses.wait_begins(time.monotonic())
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
                self._thread.start()
            self._lock.notify()

    def remove(self, wait: Wait) -> None:
        """Look for this no more."""
        with self._lock:
            self._waits.discard(wait)

    def _wait(self, wait: Wait, seconds: float) -> bool:
        self._look_for(type(wait), [wait])  # most are asked for what has happened already
        if wait.finished.is_set() or seconds <= 0:
            return self._answer(wait)
        self.add(wait)
        wait.finished.wait(max(0.0, seconds - (time.monotonic() - wait.since)))
        self.remove(wait)
        return self._answer(wait)

    def _answer(self, wait: Wait) -> bool:
        if wait.error is not None:
            raise wait.error
        return wait.finished.is_set() and not self._closed

    def _run(self) -> None:
        while self._has_waits():
            try:
                with changes_of(self._database) as changes:
                    while self._has_waits():
                        self._look_once(changes)
            except Exception:  # whatever it was, the waits go on
                log.exception("the watcher stopped")
                time.sleep(SELDOM_SECONDS)

    def _look_once(self, changes: Changes) -> None:
        """Look for what is due, and rest until something may be due again."""
        began = time.monotonic()
        changed = changes.have_come()
        asked_at = time.monotonic()
        if changed or asked_at >= self._next_at:
            self._look_at_due(asked_at, all_of_them=changed)
        now = time.monotonic()
        time.sleep(self._pauses.after(now, asked=asked_at - began, looked=now - asked_at))
        if self._none_is_prompt:
            self._rest()

    def _look_at_due(self, now: float, *, all_of_them: bool) -> None:
        with self._lock:
            waits = list(self._waits)
            self._next_at = float("inf")  # a new wait sets it to its own time
        due = [
            each for each in waits
            if (all_of_them and each.is_due_with_changes(now)) or each.due_at(early=EARLY) <= now
        ]  # fmt: skip
        if due:
            self._look_at(due)
        with self._lock:
            self._next_at = min((each.due_at() for each in self._waits), default=float("inf"))
            self._none_is_prompt = not any(each.is_prompt for each in self._waits)
            self._looked_at = time.monotonic()

    def _rest(self) -> None:
        with self._lock:
            seconds = self._next_at - time.monotonic()
            if seconds > 0 and self._waits:
                self._lock.wait(min(seconds, REST_SECONDS))

    def _has_waits(self) -> bool:
        with self._lock:
            while not self._waits and not self._closed:
                self._lock.wait()
            return not self._closed

    def _look_at(self, waits: Collection[Wait]) -> None:
        by_kind = defaultdict[type[Wait], list[Wait]](list)
        for each in waits:
            by_kind[type(each)].append(each)
        for kind in sorted(by_kind, key=lambda kind: not kind.is_prompt):
            self._look_at_kind(kind, by_kind[kind])
        with self._lock:
            self._looked_at = time.monotonic()
            for each in waits:
                each.looked_at = self._looked_at
            self._waits.difference_update([each for each in waits if each.finished.is_set()])

    def _look_at_kind(self, kind: type[Wait], waits: Sequence[Wait]) -> None:
        """Look for these. Where it cannot be asked for one kind, the others go on."""
        try:
            self._look_for(kind, waits)
        except DatabaseUnavailable as error:
            for each in waits:
                each.failed(error)
        except Exception:
            log.exception("the watcher could not look")  # it must go on: later waits depend on it
            time.sleep(SELDOM_SECONDS)

    def _look_for(self, kind: type[Wait], waits: Sequence[Wait]) -> None:
        with self._database.read() as connection:
            kind.look(connection, waits)
