"""A slot's runner, and the spare that takes its place."""

import os
import signal
from collections.abc import Iterator

import psutil
import pytest

from jobs.settings import Settings
from workers.runner_process import RunnerDied, RunnerProcess

pytestmark = [
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),  # a runner knows none
    pytest.mark.timeout(180),
]


@pytest.fixture
def runner(settings: Settings) -> Iterator[RunnerProcess]:
    """One that is not started yet."""
    process = RunnerProcess(settings.model_copy(update={"idle_runner_seconds": 60.0}))
    yield process
    process.close()


def children() -> dict[int, str]:
    """Our own runners, by pid, with their names."""
    ours = psutil.Process().children()
    return {each.pid: each.name() for each in ours if "workers.runner" in each.cmdline()}


def kill_and_wait(runner: RunnerProcess) -> None:
    assert runner.pid is not None
    os.kill(runner.pid, signal.SIGKILL)
    with pytest.raises(RunnerDied, match="SIGKILL"):
        runner.receive(10)


def test_a_spare_takes_the_place_of_a_dead_runner(runner: RunnerProcess) -> None:
    runner.ensure()
    first = runner.pid
    assert children() == {first: "gradyard-runner"}
    runner.prepare_spare()
    runner.prepare_spare()
    [spare] = set(children()) - {first}
    kill_and_wait(runner)
    runner.ensure()
    assert runner.pid == spare
    assert runner.facts["pid"] == spare
    runner.prepare_spare()
    assert set(children()) == {spare}  # not again at once
    runner.close()
    assert children() == {}


def test_a_spare_that_died_is_not_missed(runner: RunnerProcess) -> None:
    runner.ensure()
    first = runner.pid
    runner.prepare_spare()
    [spare] = set(children()) - {first}
    os.kill(spare, signal.SIGKILL)
    kill_and_wait(runner)
    runner.ensure()
    assert runner.pid not in (None, first, spare)


def test_a_service_may_do_without_spares(settings: Settings) -> None:
    runner = RunnerProcess(settings.model_copy(update={"spare_runner": False}))
    runner.prepare_spare()
    assert children() == {}
    runner.close()
