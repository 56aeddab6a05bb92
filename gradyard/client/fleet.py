"""Requests of the Client for workers, queues, and holds on them."""

from urllib.parse import quote

from gradyard.client.base import BaseClient
from gradyard.shapes import Queue, Readiness, Worker


class FleetRequests(BaseClient):
    """List workers and queues; drain workers, pause queues."""

    def workers(self) -> list[Worker]:
        """The workers of all hosts, also those that died in the last minutes."""
        return self._many(Worker, self._transport.ask_json("GET", "/v1/workers"), "workers")

    def drain(self, name: str, *, reason: str | None = None) -> list[Worker]:
        """Drain a host, SLOT@HOST, or a slot of every host: it finishes its present jobs and takes no new ones."""
        answer = self._transport.ask_json("POST", f"{_worker(name)}/drain", params={"reason": reason})
        return self._many(Worker, answer, "workers")

    def undrain(self, name: str) -> list[Worker]:
        """Let a drained host or slot take jobs again."""
        return self._many(Worker, self._transport.ask_json("POST", f"{_worker(name)}/undrain"), "workers")

    def queues(self) -> list[Queue]:
        """The queues: how many jobs wait in each, and how many slots take them."""
        return self._many(Queue, self._transport.ask_json("GET", "/v1/queues"), "queues")

    def pause(self, queue: str, *, reason: str | None = None) -> Queue:
        """Pause a queue: its jobs are accepted, and wait."""
        return self._one(Queue, self._transport.ask_json("POST", f"{_queue(queue)}/pause", params={"reason": reason}))

    def resume(self, queue: str) -> Queue:
        """Resume a paused queue."""
        return self._one(Queue, self._transport.ask_json("POST", f"{_queue(queue)}/resume"))

    def readiness(self) -> Readiness:
        """Whether the service accepts jobs and has workers. `unavailable` is returned, not raised."""
        return self._one(Readiness, self._transport.ask_json("GET", "/readyz", also_fine=frozenset({503})))


def _worker(name: str) -> str:
    return f"/v1/workers/{quote(name, safe='')}"


def _queue(name: str) -> str:
    return f"/v1/queues/{quote(name, safe='')}"
