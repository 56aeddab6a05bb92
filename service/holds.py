"""Holds as people read them: which queue is paused, which host or slot drained, and why."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from service.representation import moment


class Held:
    """All holds that there are."""

    def __init__(self, holds: Sequence[Row[Any]]) -> None:
        self._by_name = {(each.kind, each.name): each for each in holds}

    def of_queue(self, queue: str) -> Row[Any] | None:
        """What pauses the queue, if anything does."""
        return self._by_name.get(("queue", queue))

    def of_place(self, worker: Row[Any]) -> Row[Any] | None:
        """What drains the worker's slot or host."""
        slot = self._by_name.get(("slot", f"{worker.slot}@{worker.host}"))
        return slot or self._by_name.get(("host", worker.host))

    def of_worker(self, worker: Row[Any]) -> Row[Any] | None:
        """What keeps the worker from claiming anything."""
        return self.of_queue(worker.queue) or self.of_place(worker)

    def words(self, worker: Row[Any]) -> str:
        """Why jobs that wait for such a worker wait."""
        paused = self.of_queue(worker.queue)
        hold = paused or self.of_place(worker)
        assert hold is not None
        said = f"the queue {hold.name} is paused" if paused else f"{hold.name} is drained"
        return f"{said}: {hold.reason}" if hold.reason else said


def hold_as_json(hold: Row[Any] | None) -> dict[str, Any] | None:
    """Since when, by whom and why; None where there is none."""
    return None if hold is None else {"since": moment(hold.since), "actor": hold.actor, "reason": hold.reason}
