"""Requests of the Client for what projects store, and for how long they keep what has ended."""

import json
from functools import cached_property

from gradyard.client.base import BaseClient
from gradyard.client.definitions import K, Noun, asks, verb
from gradyard.shapes import RetentionRule, Storage

RULE = "/v1/storage/retention"


class StorageRequests(BaseClient[K]):
    """Show what projects store; show and set which ended jobs they keep."""

    @cached_property
    def storage(self) -> "StoredThings[K]":
        """What is stored. `client.storage()` tells it, `client.storage.retention()` is `client.retention()`."""
        return StoredThings(self)

    @asks
    async def retention(self) -> RetentionRule:
        """Which ended jobs the project keeps, and how many are to go now (`due`)."""
        return self._one(RetentionRule, await self._transport.ask_json("GET", RULE))

    @asks
    async def set_retention(
        self, *, days: float | None = None, jobs: int | None = None, bytes: int | None = None, preview: bool = False
    ) -> RetentionRule:
        """Set which ended jobs the project keeps; the service deletes the others within minutes. It needs `admin`.

        days: since the end of a job. jobs: how many of the newest. bytes: of all ended jobs together, the oldest go.
        What is None says nothing; with all three None every job is kept. Pinned jobs are always kept.
        preview: set nothing; `due` of the answer says how many jobs the rule would let go now, None: not known yet.
        """
        body = json.dumps({"days": days, "jobs": jobs, "bytes": bytes}).encode()
        headers, params = {"Content-Type": "application/json"}, {"preview": "true" if preview else None}
        return self._one(
            RetentionRule, await self._transport.ask_json("PUT", RULE, body=body, headers=headers, params=params)
        )

    @asks
    async def unset_retention(self, *, preview: bool = False) -> RetentionRule:
        """Let the project keep what the settings of the service say, and return that. It needs `admin`.

        preview: set nothing; `due` of the answer says how many jobs that rule would let go now, None: not known yet.
        """
        params = {"preview": "true" if preview else None}
        return self._one(RetentionRule, await self._transport.ask_json("DELETE", RULE, params=params))


class StoredThings(Noun[K]):
    """What projects store. Called, it tells it; its verbs show and set which ended jobs a project keeps."""

    retention, set_retention = verb(StorageRequests.retention), verb(StorageRequests.set_retention)
    unset_retention = verb(StorageRequests.unset_retention)

    @asks
    async def __call__(self) -> Storage:
        """What the project stores, by kind, and its limits; for an operator each project, or the Client's `project`.

        The figures are added up about every minute: `measured_at` says when.
        """
        client = self._client
        return client._one(Storage, await client._transport.ask_json("GET", "/v1/storage"))
