"""Requests of the Client for workers, queues, and holds on them."""

import json
from functools import cached_property
from typing import Any
from urllib.parse import quote

from gradyard.client.base import BaseClient
from gradyard.shapes import Queue, Readiness, Worker


class Workers:
    """The workers of a service. Called, it lists them; its verbs take a host or a slot."""

    def __init__(self, client: "FleetRequests") -> None:
        self._client = client
        self.drain, self.undrain = client.drain, client.undrain

    def __call__(self) -> list[Worker]:
        """The workers of all hosts, also those that died in the last minutes."""
        return self._client._many(Worker, self._client._transport.ask_json("GET", "/v1/workers"), "workers")


class Queues:
    """The queues of a service. Called, it lists them; its verbs take the name of a queue."""

    def __init__(self, client: "FleetRequests") -> None:
        self._client = client
        self.pause, self.resume = client.pause, client.resume

    def __call__(self) -> list[Queue]:
        """The queues: how many jobs wait in each, and how many slots take them."""
        return self._client._many(Queue, self._client._transport.ask_json("GET", "/v1/queues"), "queues")


class FleetRequests(BaseClient):
    """List workers and queues; drain workers, pause queues."""

    @cached_property
    def workers(self) -> Workers:
        """The workers. `client.workers()` lists them, `client.workers.drain(host)` is `client.drain(host)`."""
        return Workers(self)

    @cached_property
    def queues(self) -> Queues:
        """The queues. `client.queues()` lists them, `client.queues.pause(name)` is `client.pause(name)`."""
        return Queues(self)

    def drain(self, name: str, *, reason: str | None = None) -> list[Worker]:
        """Drain a host, SLOT@HOST, or a slot of every host: it finishes its present jobs and takes no new ones."""
        answer = self._transport.ask_json("POST", f"{_worker(name)}/drain", **_because(reason))
        return self._many(Worker, answer, "workers")

    def undrain(self, name: str) -> list[Worker]:
        """Let a drained host or slot take jobs again."""
        return self._many(Worker, self._transport.ask_json("POST", f"{_worker(name)}/undrain"), "workers")

    def pause(self, queue: str, *, reason: str | None = None) -> Queue:
        """Pause a queue: its jobs are accepted, and wait."""
        return self._one(Queue, self._transport.ask_json("POST", f"{_queue(queue)}/pause", **_because(reason)))

    def resume(self, queue: str) -> Queue:
        """Resume a paused queue."""
        return self._one(Queue, self._transport.ask_json("POST", f"{_queue(queue)}/resume"))

    def readiness(self) -> Readiness:
        """Whether the service accepts jobs and has workers. `unavailable` is returned, not raised."""
        return self._one(Readiness, self._transport.ask_json("GET", "/readyz", also_fine=frozenset({503})))


def _because(reason: str | None) -> dict[str, Any]:
    """The options of a request with this reason in its body."""
    if reason is None:
        return {}
    return {"body": json.dumps({"reason": reason}).encode(), "headers": {"Content-Type": "application/json"}}


def _worker(name: str) -> str:
    return f"/v1/workers/{quote(name, safe='')}"


def _queue(name: str) -> str:
    return f"/v1/queues/{quote(name, safe='')}"
