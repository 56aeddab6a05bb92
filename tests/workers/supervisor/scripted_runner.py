"""A runner that says what a test tells it to, and a worker that has it."""

from typing import Any

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from tests.actors import worker_of
from workers.protocol.messages import BegunMessage, HelloMessage, Message
from workers.runner_client.runner_process import RunnerProcess
from workers.supervisor.heartbeat import Heartbeat
from workers.supervisor.worker_context import WorkerContext

HELLO = HelloMessage(1, {"numpy": "2", "torch": "2"}, "cpu", None, 1, "cpu")


class Scripted(RunnerProcess):
    """A runner that says of every pack the same, and needs no process."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.says: list[Message | Exception] = []
        self._left: list[Message | Exception] = []

    def ensure(self, give_up: Any = None, *, optim: bool = False) -> None:
        self.hello, self._left = HELLO, [BegunMessage(), *self.says]

    def send(self, message: Message) -> None: ...

    def receive(self, seconds: float) -> Message | None:
        said = self._left.pop(0)
        if isinstance(said, Exception):
            raise said
        return said


def context_of(database: Database, settings: Settings, runner: RunnerProcess) -> WorkerContext:
    """A worker with that runner."""
    worker = worker_of(database)
    return WorkerContext(
        settings, worker, Heartbeat(settings, worker, lambda: None), lambda: False, database, runner
    )  # fmt: skip
