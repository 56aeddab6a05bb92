"""Lets an attempt train on while the database is away: a commit that fails is left to the next record."""

import time
from collections.abc import Callable
from typing import Any

import structlog
from sqlalchemy import Connection

from gradyard.jobs.errors import DatabaseUnavailable
from workers.supervisor.worker_context import AWAY_SECONDS, RETRY_SECONDS

log = structlog.get_logger()

Write = Callable[[Connection], Any]


class BestEffortCommit:
    """Commits where the database answers, and remembers since when it does not.

    `commit_once` does a write in one transaction, or raises DatabaseUnavailable.
    """

    def __init__(self, commit_once: Callable[[Write], Any]) -> None:
        self._commit_once = commit_once
        self._next_try_at = 0.0
        self._away_since: float | None = None

    def commit(self, write: Write) -> Any:
        """Do the write in one transaction and return its result; None where the database is away.

        Raises DatabaseUnavailable once it has been away for ten minutes.
        """
        now = time.monotonic()
        if now < self._next_try_at:
            return None
        try:
            result = self._commit_once(write)
        except DatabaseUnavailable as error:
            self._away_since = self._away_since or now
            self._next_try_at = time.monotonic() + AWAY_SECONDS
            if now - self._away_since > RETRY_SECONDS:
                raise
            log.warning("the database is away; training goes on", error=str(error))
            return None
        self._away_since = None
        return result
