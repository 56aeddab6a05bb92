"""Celery's main process looks for dead children several times a second."""

from collections.abc import Callable

from workers.celery_side.app import app
from workers.celery_side.reaper import LOOK_SECONDS, Reaper


class Loop:
    """Notes what is called how often."""

    def __init__(self) -> None:
        self.repeated: dict[float, Callable[[], None]] = {}

    def call_repeatedly(self, seconds: float, act: Callable[[], None]) -> None:
        self.repeated[seconds] = act


class Worker:
    """The part of a worker that the step uses. It is its own pool, and counts its looks."""

    looks = 0

    @property
    def pool(self) -> "Worker":
        return self

    def maintain_pool(self) -> None:
        self.looks += 1


def test_every_worker_looks_for_dead_children_several_times_a_second() -> None:
    assert Reaper in app.steps["worker"]
    loop, worker = Loop(), Worker()
    Reaper(worker).register_with_event_loop(worker, loop)
    loop.repeated[LOOK_SECONDS]()
    assert (worker.looks, LOOK_SECONDS <= 0.25) == (1, True)
