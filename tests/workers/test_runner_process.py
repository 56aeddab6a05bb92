"""A slot's runner, and the spare that takes its place."""

import os
import signal
import time
from collections.abc import Iterator

import psutil
import pytest

from jobs.settings import Settings
from tests.workers.trainers.packs import member
from workers.handover import hand_over
from workers.runner_errors import RunnerDied
from workers.runner_process import RunnerProcess
from workers.wire import Frame

pytestmark = [
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),  # a runner knows none
    pytest.mark.timeout(180),
]

NO_STEPS = Frame("train", {
    "trainer": "workers.trainers.stage1_numpy:Trainer", "members": [member("numpy")], "steps": 0, "start_step": 0,
    "segment_seconds": 0.2, "record_seconds": 5.0,
})  # fmt: skip


@pytest.fixture
def runner(settings: Settings) -> Iterator[RunnerProcess]:
    """One that is not started yet."""
    process = RunnerProcess(settings.model_copy(update={"idle_runner_seconds": 60.0}))
    yield process
    process.close()


def children() -> dict[int, str]:
    """Our own runners, by pid, with their names."""
    ours = psutil.Process().children()
    return {each.pid: each.name() for each in ours if "workers.runner" in command_of(each)}


def command_of(process: psutil.Process) -> list[str]:
    """Its words; a process that was started a moment ago has none for a while, and one that is dead has none at all."""
    until = time.monotonic() + 1.0
    while not (words := process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE and time.monotonic() < until:
        time.sleep(0.001)
    return words


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


def test_a_pack_finds_a_runner_though_runner_and_spare_left_for_idleness(settings: Settings) -> None:
    runner = RunnerProcess(settings.model_copy(update={"idle_runner_seconds": 1.0}))
    runner.ensure()
    runner.prepare_spare()
    gone = [psutil.Process(pid) for pid in children()]
    _, alive = psutil.wait_procs(gone, timeout=60)
    assert all(each.status() == psutil.STATUS_ZOMBIE for each in alive)
    hand_over(runner, NO_STEPS, lambda: False)
    assert runner.pid not in {each.pid for each in gone}
    runner.close()


def test_a_pack_finds_another_runner_when_the_one_that_was_idle_is_killed(runner: RunnerProcess) -> None:
    runner.ensure()
    assert runner.pid is not None
    os.kill(runner.pid, signal.SIGKILL)
    hand_over(runner, NO_STEPS, lambda: False)


def test_a_machine_without_room_for_a_spare_trains_on_without_one(
    runner: RunnerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner.ensure()
    monkeypatch.setattr("sys.executable", "/nowhere/python")  # as with EAGAIN: the start itself fails
    runner.prepare_spare()
    assert set(children()) == {runner.pid}
    runner.end()
    with pytest.raises(RunnerDied, match="cannot be started"):
        runner.ensure()


def test_a_runner_is_not_waited_for_by_a_worker_that_shall_stop(runner: RunnerProcess) -> None:
    with pytest.raises(RunnerDied, match="not waited for"):
        runner.ensure(lambda: True)
    assert children() == {}


def test_a_service_may_do_without_spares(settings: Settings) -> None:
    runner = RunnerProcess(settings.model_copy(update={"spare_runner": False}))
    runner.prepare_spare()
    assert children() == {}
    runner.close()
