"""What an attempt does while the database is away: it trains on, and asks again now and then."""

import time
from collections.abc import Callable
from typing import Any

import structlog
from sqlalchemy import Connection

from gradyard.jobs.errors import DatabaseUnavailable
from workers.supervisor.worker_context import AWAY_SECONDS, UNSURE_SECONDS

log = structlog.get_logger()

Write = Callable[[Connection], Any]


class BestEffortCommit:
    """Remembers since when the database is away. `commit` does a write in one transaction, or DatabaseUnavailable."""

    def __init__(self, commit: Callable[[Write], Any]) -> None:
        self._commit = commit
        self._ask_again_at = 0.0
        self._since: float | None = None

    def commit_best_effort(self, write: Write) -> Any:
        """Do it now; None where the database is away, which the runner does not notice: it trains on, unsure.

        DatabaseUnavailable where it has been away for ten minutes.
        """
        now = time.monotonic()
        if now < self._ask_again_at:
            return None
        try:
            done = self._commit(write)
        except DatabaseUnavailable as error:
            self._since = self._since or now
            self._ask_again_at = time.monotonic() + AWAY_SECONDS
            if now - self._since > UNSURE_SECONDS:
                raise
            log.warning("the database is away; training goes on", error=str(error))
            return None
        self._since = None
        return done
