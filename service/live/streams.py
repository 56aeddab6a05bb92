"""The streams of events of one process, and the subjects that they share."""

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from service.live.subjects import Subject, Which
from service.live.watcher import Watcher


class Stream:
    """One stream: it waits until one of its subjects has changed. For one thread."""

    def __init__(self, subjects: dict[Which, Subject], changed: threading.Event, closed: threading.Event) -> None:
        self._subjects, self._changed, self._closed = subjects, changed, closed

    def head(self, which: Which) -> Any:
        """Where the subject stands; None where it is gone."""
        return self._subjects[which].head

    def is_known(self, which: Which) -> bool:
        """Whether the subject was looked at yet."""
        return self._subjects[which].is_known

    def is_closed(self) -> bool:
        """Whether the process ends: the client goes on with another one."""
        return self._closed.is_set()

    def look_again(self) -> None:
        """Let the next wait return at once: what is due could not be told."""
        self._changed.set()

    def wait(self, seconds: float) -> bool:
        """Return when something has changed since the last return, True, or after so many seconds, False."""
        changed = self._changed.wait(seconds)
        self._changed.clear()
        return changed


class Streams:
    """Makes streams. What a thousand of them are about is looked at once."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._subjects: dict[Which, Subject] = {}
        self._changing = threading.Lock()
        self._open: set[threading.Event] = set()
        self._closed = threading.Event()

    @contextmanager
    def open(self, those: Collection[Which]) -> Iterator[Stream]:
        """A stream about these subjects."""
        changed = threading.Event()
        changed.set()  # what is known of them already is news to it
        with self._changing:
            self._open.add(changed)
            subjects = {which: self._listened_to(which, changed) for which in those}
        try:
            yield Stream(subjects, changed, self._closed)
        finally:
            with self._changing:
                self._open.discard(changed)
                for which in those:
                    self._leave(which, changed)

    def close(self) -> None:
        """End every stream. Those that are opened later end at once."""
        self._closed.set()
        with self._changing:
            for changed in self._open:
                changed.set()

    def _listened_to(self, which: Which, changed: threading.Event) -> Subject:
        kind, key = which
        if which not in self._subjects:
            self._subjects[which] = kind(key=key)
            self._watcher.add(self._subjects[which])
        self._subjects[which].listeners.add(changed)
        return self._subjects[which]

    def _leave(self, which: Which, changed: threading.Event) -> None:
        subject = self._subjects[which]
        subject.listeners.discard(changed)
        if not subject.listeners:
            self._watcher.remove(self._subjects.pop(which))
