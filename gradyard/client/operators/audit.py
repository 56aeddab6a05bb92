"""Requests of the Client for the audit. They need the scope `operator`, or a service without keys on this machine."""

from collections.abc import AsyncIterator

from gradyard.client.base import BaseClient
from gradyard.client.definitions import K, iterates
from gradyard.shapes import AuditEntry


class AuditRequests(BaseClient[K]):
    """Read what was done with keys, workers and queues, and what was deleted."""

    @iterates
    async def audit(
        self, *, action: str | None = None, actor: str | None = None, limit: int | None = None
    ) -> AsyncIterator[AuditEntry]:
        """The entries of the audit, the newest first, at most `limit`; of all projects, or of the Client's `project`.

        action: one of `key_created`, `drained`, `job_deleted` and so on. actor: `api:NAME@PROJECT`.
        """
        which = {"action": action, "actor": actor}
        async for each in self._newest(AuditEntry, "audit", which, limit, inside="entries"):
            yield each
