"""What streams are about: a job, a batch, a project, the key of a caller. Each is looked at for all of its streams."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Any, ClassVar, Self

from sqlalchemy import Connection

from gradyard.jobs.errors import DatabaseUnavailable
from gradyard.store import queries
from gradyard.store.queries.page.sessions import live_sessions
from service.live.waits import Wait

SHARE_OF_TIME = 0.05  # that looks at one kind of subjects may take: counting a long history takes its time
LONGEST_PAUSE_SECONDS = 5.0
AT_ONCE = 5_000  # keys in one statement: a database has limits on what it is told at once


@dataclass(eq=False)
class Subject(Wait):
    """Something that streams are about. `head` is where it stands; None while nothing is known, or where it is gone."""

    key: Any = None
    head: Any = None
    is_known: bool = False  # whether it was looked at since its first stream began
    listeners: set[Event] = field(default_factory=set)
    longer_pause: float = 0.0  # seconds, where looking takes its time

    is_prompt: ClassVar[bool] = False
    pause_seconds: ClassVar[float]  # between two looks, at least
    ask: ClassVar[Any]
    """Given a connection and keys, answers where those of them stand that are there."""

    def due_at(self, *, early: float = 1.0) -> float:
        """When to look at it next, by the monotonic clock."""
        return self.since if self.looked_at is None else self.looked_at + max(self.pause_seconds, self.longer_pause)

    def is_due_with_changes(self, now: float) -> bool:
        """Whether its pause is over."""
        return self.due_at() <= now

    def failed(self, error: DatabaseUnavailable) -> None:
        """Stay as it is: streams go on when the database answers again."""

    def take(self, head: Any) -> None:
        """Take where it stands now, and wake its streams where that has changed."""
        changed, self.head, self.is_known = not self.is_known or head != self.head, head, True
        if changed:
            for listener in tuple(self.listeners):
                listener.set()

    @classmethod
    def look(cls, connection: Connection, waits: Sequence[Self]) -> None:
        """Look at all of these."""
        began = time.monotonic()
        for first in range(0, len(waits), AT_ONCE):
            some = waits[first : first + AT_ONCE]
            heads = cls.ask(connection, [each.key for each in some])
            for each in some:
                each.take(heads.get(each.key))
        pause = min(LONGEST_PAUSE_SECONDS, (time.monotonic() - began) / SHARE_OF_TIME)
        for each in waits:
            each.longer_pause = pause


class JobSubject(Subject):
    """A job. Its key: its project and its id."""

    pause_seconds = 0.1
    ask = staticmethod(queries.job_heads)


class BatchSubject(Subject):
    """A batch. Its key: its project and its id."""

    pause_seconds = 0.25
    ask = staticmethod(queries.batch_heads)


class ProjectSubject(Subject):
    """All of a project. Its key: its number."""

    pause_seconds = 1.0
    ask = staticmethod(queries.project_heads)


def _opening(connection: Connection, digests: Collection[str]) -> Mapping[str, bool]:
    return dict.fromkeys(queries.live_keys(connection, digests), True)


class KeySubject(Subject):
    """The key of a caller. Its key: the SHA-256; its head: True while it opens."""

    pause_seconds = 1.0
    ask = staticmethod(_opening)


def _signed_in(connection: Connection, keys: Collection[tuple[str, float]]) -> Mapping[tuple[str, float], bool]:
    seen = live_sessions(connection, [digest for digest, _ in keys], next(iter(keys))[1])
    return {key: True for key in keys if key[0] in seen}


class SessionSubject(Subject):
    """The session of a browser. Its key: the SHA-256 of its token, and the setting how long it may be unused."""

    pause_seconds = 1.0
    ask = staticmethod(_signed_in)


Which = tuple[type[Subject], Any]
"""A subject by its kind and key."""
