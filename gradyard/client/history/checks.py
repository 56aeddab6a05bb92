"""Requests of the Client to train a finished job once more, and for what proves its result."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

from gradyard.client.base import BaseClient, as_list
from gradyard.client.definitions import K, asks
from gradyard.client.identities import JobLike, job_path
from gradyard.shapes import Job, Receipt


class CheckRequests(BaseClient[K]):
    """Retry and recheck finished jobs, and fetch their receipts."""

    @asks
    async def retry(
        self, job: JobLike, *, set: Mapping[str, Any] | None = None, idempotency_key: str | None = None
    ) -> Job:  # fmt: skip
        """Submit the spec of a finished job as a new job. An unfinished job is refused (RefusedByService, 409).

        set: new values of parameters, by their paths: `{"learning_rate": 1e-7, "optimizer.momentum": 0.9}`.
        """
        headers = {"Content-Type": "application/json", "Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        body = json.dumps({"set": set}, default=as_list).encode() if set else None
        path = job_path(job) + "/retry"
        return self._one(Job, await self._transport.ask_json("POST", path, body=body, headers=headers))

    @asks
    async def recheck(self, job: JobLike, *, idempotency_key: str | None = None) -> Job:
        """Train a finished job once more as it was, and return the new job, whose bits are compared with the first's.

        After `wait(job.id)` its `recheck` has the verdict: `state` is `same`, `differs` or `cannot be compared`. An
        unfinished job, and one that has no record to compare with, is refused (RefusedByService, 409).
        """
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        return self._one(Job, await self._transport.ask_json("POST", job_path(job) + "/recheck", headers=headers))

    @asks
    async def receipt(self, job: JobLike) -> Receipt:
        """The hashes of a finished job's spec, data, versions and result. How others check them: docs/receipts.md."""
        return self._one(Receipt, await self._transport.ask_json("GET", job_path(job) + "/receipt"))
