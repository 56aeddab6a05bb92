"""Requests of the Client for workers, queues, and holds on them."""

import json
from functools import cached_property
from typing import Any

from gradyard.client.base import BaseClient
from gradyard.client.definitions import K, Noun, asks, verb
from gradyard.client.identities import QueueLike, WorkerLike, queue_path, worker_path
from gradyard.shapes import Queue, Readiness, Worker


class FleetRequests(BaseClient[K]):
    """List workers and queues; drain workers, pause queues."""

    @cached_property
    def workers(self) -> "Workers[K]":
        """The workers. `client.workers()` lists them, `client.workers.drain(host)` is `client.drain(host)`."""
        return Workers(self)

    @cached_property
    def queues(self) -> "Queues[K]":
        """The queues. `client.queues()` lists them, `client.queues.pause(name)` is `client.pause(name)`."""
        return Queues(self)

    @asks
    async def drain(self, worker: WorkerLike, *, reason: str | None = None) -> list[Worker]:
        """Drain a host, SLOT@HOST, or a slot of every host: it finishes its present jobs and takes no new ones."""
        answer = await self._transport.ask_json("POST", f"{worker_path(worker)}/drain", **_because(reason))
        return self._many(Worker, answer, "workers")

    @asks
    async def undrain(self, worker: WorkerLike) -> list[Worker]:
        """Let a drained host or slot take jobs again."""
        answer = await self._transport.ask_json("POST", f"{worker_path(worker)}/undrain")
        return self._many(Worker, answer, "workers")

    @asks
    async def pause(self, queue: QueueLike, *, reason: str | None = None) -> Queue:
        """Pause a queue: its jobs are accepted, and wait."""
        answer = await self._transport.ask_json("POST", f"{queue_path(queue)}/pause", **_because(reason))
        return self._one(Queue, answer)

    @asks
    async def resume(self, queue: QueueLike) -> Queue:
        """Resume a paused queue."""
        return self._one(Queue, await self._transport.ask_json("POST", f"{queue_path(queue)}/resume"))

    @asks
    async def readiness(self) -> Readiness:
        """Whether the service accepts jobs and has workers. `unavailable` is returned, not raised."""
        return self._one(Readiness, await self._transport.ask_json("GET", "/readyz", also_fine=frozenset({503})))


def _because(reason: str | None) -> dict[str, Any]:
    """The options of a request with this reason in its body."""
    if reason is None:
        return {}
    return {"body": json.dumps({"reason": reason}).encode(), "headers": {"Content-Type": "application/json"}}


class Workers(Noun[K]):
    """The workers of a service. Called, it lists them; its verbs take a worker, a host or a slot."""

    drain, undrain = verb(FleetRequests.drain), verb(FleetRequests.undrain)

    @asks
    async def __call__(self) -> list[Worker]:
        """The workers of all hosts, also those that died in the last minutes."""
        return await self._client._all(Worker, "/v1/workers", "workers")


class Queues(Noun[K]):
    """The queues of a service. Called, it lists them; its verbs take a queue or its name."""

    pause, resume = verb(FleetRequests.pause), verb(FleetRequests.resume)

    @asks
    async def __call__(self) -> list[Queue]:
        """The queues: how many jobs wait in each, and how many slots take them."""
        client = self._client
        return client._many(Queue, await client._transport.ask_json("GET", "/v1/queues"), "queues")
