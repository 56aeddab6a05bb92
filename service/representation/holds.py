"""Holds as people read them: which queue is paused, which host, slot or GPU drained, and why."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from gradyard.jobs.fleet import HoldKind, SlotAddress


class Held:
    """Every pause and drain of the fleet."""

    def __init__(self, holds: Sequence[Row[Any]]) -> None:
        self._by_name = {(each.kind, each.name): each for each in holds}

    def of(self, kind: HoldKind, name: str | None) -> Row[Any] | None:
        """The hold of that kind and name; None where there is none."""
        return self._by_name.get((kind, name or ""))

    def drains(self) -> list[Row[Any]]:
        """Every drain, by its kind and name."""
        return [each for each in self._by_name.values() if each.kind != HoldKind.QUEUE]

    def of_queue(self, queue: str) -> Row[Any] | None:
        """The pause of the queue; None where it is not paused."""
        return self.of(HoldKind.QUEUE, queue)

    def drain_of(self, worker: Row[Any]) -> Row[Any] | None:
        """The drain of the worker's GPU, slot or host; None where none of them is drained."""
        slot = str(SlotAddress(worker.slot, worker.host))
        names = (HoldKind.GPU, worker.device_uuid), (HoldKind.SLOT, slot), (HoldKind.HOST, worker.host)
        return next((self._by_name[name] for name in names if name in self._by_name), None)

    def of_worker(self, worker: Row[Any]) -> Row[Any] | None:
        """The hold that keeps the worker from claiming; None where there is none."""
        return self.of_queue(worker.queue) or self.drain_of(worker)

    def words(self, worker: Row[Any]) -> str:
        """Why a job waits that only such a worker could take; the worker must be on hold."""
        paused = self.of_queue(worker.queue)
        hold = paused or self.drain_of(worker)
        assert hold is not None
        held = f"the queue {hold.name} is paused" if paused else f"{hold.name} is drained"
        return f"{held}: {hold.reason}" if hold.reason else held
