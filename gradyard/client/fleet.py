"""What the Client says of the fleet: workers, queues, and holds on them."""

from urllib.parse import quote

from gradyard.client.base import BaseClient
from gradyard.shapes import Queue, Readiness, Worker


class FleetRequests(BaseClient):
    """Look at workers and queues; drain and pause them."""

    def workers(self) -> list[Worker]:
        """Every slot of every worker host, also those that died lately."""
        return self._many(Worker, self._transport.ask_json("GET", "/v1/workers"), "workers")

    def drain(self, name: str, *, reason: str | None = None) -> list[Worker]:
        """Drains a host, SLOT@HOST, or a slot of every host: it ends what it trains and takes nothing more."""
        answer = self._transport.ask_json("POST", f"{_worker(name)}/drain", params={"reason": reason})
        return self._many(Worker, answer, "workers")

    def undrain(self, name: str) -> list[Worker]:
        """Lets a host or slot take jobs again."""
        return self._many(Worker, self._transport.ask_json("POST", f"{_worker(name)}/undrain"), "workers")

    def queues(self) -> list[Queue]:
        """The queues, with what waits in each and who could take it."""
        return self._many(Queue, self._transport.ask_json("GET", "/v1/queues"), "queues")

    def pause(self, queue: str, *, reason: str | None = None) -> Queue:
        """Pauses a queue: jobs are accepted and wait."""
        return self._one(Queue, self._transport.ask_json("POST", f"{_queue(queue)}/pause", params={"reason": reason}))

    def resume(self, queue: str) -> Queue:
        """Goes on with a queue."""
        return self._one(Queue, self._transport.ask_json("POST", f"{_queue(queue)}/resume"))

    def readiness(self) -> Readiness:
        """Whether the service accepts jobs and has workers; `unavailable` is an answer, too, not an error."""
        return self._one(Readiness, self._transport.ask_json("GET", "/readyz", also_fine=frozenset({503})))


def _worker(name: str) -> str:
    return f"/v1/workers/{quote(name, safe='')}"


def _queue(name: str) -> str:
    return f"/v1/queues/{quote(name, safe='')}"
