"""What the watcher looks for. Each kind of wait is looked for in one query, however many there are of it."""

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import ClassVar, Self
from uuid import UUID

from sqlalchemy import Connection

from gradyard.jobs.errors import DatabaseUnavailable
from gradyard.store import queries

AT_FIRST_SECONDS, OFTEN_SECONDS = 0.0005, 0.002  # between two questions whether something was committed
YOUNG_SECONDS = 0.1  # of a wait's beginning, in which questions come as at first: small jobs end in 20 ms
SELDOM_SECONDS = 0.25  # between two looks where nothing was, as far as the database says


@dataclass(eq=False)
class Wait(ABC):
    """Something that is looked for, until it is `finished`."""

    since: float = field(default_factory=time.monotonic)
    looked_at: float | None = None  # by the watcher's thread
    finished: Event = field(default_factory=Event)
    error: DatabaseUnavailable | None = None

    is_prompt: ClassVar[bool] = True  # whether milliseconds count

    def due_at(self, *, early: float = 1.0) -> float:
        """When to look for it next, by the monotonic clock, though nothing was committed.

        early: the share of its pause after which it is looked for if another wait is due.
        """
        if self.looked_at is None:
            return self.since
        return self.looked_at + early * SELDOM_SECONDS

    def is_due_with_changes(self, now: float) -> bool:
        """Whether it is looked for now because something was committed."""
        return True

    def failed(self, error: DatabaseUnavailable) -> None:
        """Take it that the database did not answer."""
        self.error = error
        self.finished.set()

    @classmethod
    @abstractmethod
    def look(cls, connection: Connection, waits: Sequence[Self]) -> None:
        """Look for all of these, which are of this kind."""


@dataclass(eq=False)
class End(Wait):
    """One request's: until jobs end, all of them, or until no running job of a batch is marked for a cancel."""

    jobs: frozenset[tuple[int, UUID]] = frozenset()
    batch: UUID | None = None

    @classmethod
    def look(cls, connection: Connection, waits: Sequence[Self]) -> None:
        """Finish those whose jobs have ended, and those whose batch has no mark."""
        jobs = {job for each in waits for job in each.jobs}
        batches = {each.batch for each in waits if each.batch}
        live = queries.live_among(connection, jobs) if jobs else set()
        marked = queries.marked_among(connection, batches) if batches else set()
        for each in waits:
            if live.isdisjoint(each.jobs) and each.batch not in marked:
                each.finished.set()
