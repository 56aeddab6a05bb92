"""Holds as people read them: which queue is paused, which host, slot or GPU drained, and why."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row


class Held:
    """All holds that there are."""

    def __init__(self, holds: Sequence[Row[Any]]) -> None:
        self._by_name = {(each.kind, each.name): each for each in holds}

    def of_queue(self, queue: str) -> Row[Any] | None:
        """What pauses the queue, if anything does."""
        return self._by_name.get(("queue", queue))

    def drain_of(self, worker: Row[Any]) -> Row[Any] | None:
        """What drains the worker's GPU, slot or host."""
        names = ("gpu", worker.device_uuid), ("slot", f"{worker.slot}@{worker.host}"), ("host", worker.host)
        return next((self._by_name[name] for name in names if name in self._by_name), None)

    def of_worker(self, worker: Row[Any]) -> Row[Any] | None:
        """What keeps the worker from claiming anything."""
        return self.of_queue(worker.queue) or self.drain_of(worker)

    def words(self, worker: Row[Any]) -> str:
        """Why jobs that wait for such a worker wait."""
        paused = self.of_queue(worker.queue)
        hold = paused or self.drain_of(worker)
        assert hold is not None
        said = f"the queue {hold.name} is paused" if paused else f"{hold.name} is drained"
        return f"{said}: {hold.reason}" if hold.reason else said
