"""A worker that must stop does not wait for a runner that has trained nothing, and blames no job for it."""

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import chain, repeat
from typing import Any

import pytest

from gradyard.jobs.settings import Settings
from gradyard.store import queries
from gradyard.store.database import Database
from tests.actors import claimed, submitted
from tests.workers.supervisor.scripted_runner import Scripted, context_of
from workers.protocol.messages import Message, StopMessage
from workers.runner_client.errors import WorkerStops
from workers.supervisor.runners import timeouts
from workers.supervisor.supervisor import Supervisor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Loads(Scripted):
    """A runner that has begun its pack and then loads, for ever as it seems."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.was_asked = False

    def send(self, message: Message) -> None:
        self.was_asked |= isinstance(message, StopMessage)

    def receive(self, seconds: float) -> Message | None:
        time.sleep(0.001)
        return super().receive(seconds) if self._left else None


class Starts(Scripted):
    """A runner that has not started yet when its worker must stop."""

    was_asked = True

    def ensure(self, give_up: Any = None, *, optim: bool = False) -> None:
        raise WorkerStops("the worker stops and does not wait for its runner")


@pytest.mark.parametrize("kind", [Loads, Starts])
def test_its_job_is_handed_back_unblamed_and_can_be_claimed_at_once(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch, kind: Callable[[Settings], Loads | Starts]
) -> None:
    monkeypatch.setattr(timeouts, "FIRST_STOP_SECONDS", 0.05)
    job, runner = submitted(database, settings, stage="optim", steps=5), kind(settings)
    stopping = chain([False], repeat(True)).__next__
    context = replace(context_of(database, settings, runner), stopping=stopping)
    Supervisor(context).work()
    with database.read() as connection:
        row = queries.job_by_id(connection, 1, job)
        last = queries.events_of(connection, 1, job)[0][-1]
    assert (row.state, row.crashes, row.failures, row.attempt) == ("queued", 0, 0, 1)
    assert (last.kind, last.to_state) == ("handed_back", "queued")
    assert claimed(database, context.worker).members[0].id == job
    assert runner.was_asked, "it had the time to send what it has trained"
