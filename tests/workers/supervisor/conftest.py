"""A worker with a real runner, which one test after the other uses: loading torch takes longer than most of them."""

from collections.abc import Iterator

import pytest

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from tests.actors import worker_of
from workers.runner_client.runner_process import RunnerProcess
from workers.supervisor.heartbeat import Heartbeat
from workers.supervisor.worker_context import WorkerContext

OFTEN = {"record_seconds": 0.1, "segment_seconds": 0.05}


@pytest.fixture(scope="module")
def warm_runner() -> Iterator[RunnerProcess]:
    """The runner of a module's tests. Where a test has ended it, the next one starts another."""
    runner = RunnerProcess(Settings().model_copy(update=OFTEN))
    yield runner
    runner.close()


@pytest.fixture
def context(database: Database, settings: Settings, warm_runner: RunnerProcess) -> WorkerContext:
    """A worker without a heartbeat: it learns of a moved job by its own writes alone.

    A test leaves its runner without a pack, or dead.
    """
    often, worker = settings.model_copy(update=OFTEN), worker_of(database)
    warm_runner.ensure()
    return WorkerContext(often, worker, Heartbeat(often, worker, lambda: None), lambda: False, database, warm_runner)
