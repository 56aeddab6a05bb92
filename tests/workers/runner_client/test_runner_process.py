"""A slot's runner, the process that forks it, and the runner that follows it."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from gradyard.jobs.settings import Settings
from tests.workers.runner.messages import train_message
from tests.workers.trainers.packs import member
from workers.protocol.messages import BegunMessage, TrainMessage
from workers.runner_client.errors import DeviceBroken, NotStarted, RunnerDied, WorkerStops
from workers.runner_client.runner_process import STARTS_ON_GPU, RunnerProcess
from workers.runner_client.send_pack import send_pack

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),  # a runner knows none
]

quick = pytest.mark.usefixtures("quick_starts")

NO_STEPS = train_message([member("numpy")], 0, trainer="workers.trainers.stage1_numpy:Trainer")


@pytest.fixture
def runner(settings: Settings) -> Iterator[RunnerProcess]:
    """A runner that is not started yet."""
    process = RunnerProcess(settings.model_copy(update={"idle_runner_seconds": 60.0}))
    yield process
    process.close()


def runners() -> dict[int, str]:
    """The runners of this test process, and what forks them, by pid, with their names."""
    found: dict[int, str] = {}
    for each in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it has just ended
            if "workers.runner" in command_of(each):
                found[each.pid] = each.name()
    return found


@pytest.fixture
def children() -> Callable[[], dict[int, str]]:
    """Tells the runners that this test has started. A service that another module has up may have some of its own."""
    of_others = runners()
    return lambda: {pid: name for pid, name in runners().items() if pid not in of_others}


def command_of(process: psutil.Process) -> list[str]:
    """Its command line; a process that was started a moment ago has none for a while, a dead one has none at all."""
    until = time.monotonic() + 1.0
    while not (command := process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE and time.monotonic() < until:
        time.sleep(0.001)
    return command


def kill_and_wait(runner: RunnerProcess) -> None:
    assert runner.pid is not None
    os.kill(runner.pid, signal.SIGKILL)
    with pytest.raises(RunnerDied, match="SIGKILL"):
        runner.receive(10)


def forks_of(runner: RunnerProcess) -> psutil.Process:
    """The process that forked the runner."""
    parent = psutil.Process(runner.pid).parent()
    assert parent is not None
    assert parent.name() == "gradyard-forks"
    return parent


def test_the_next_runner_is_a_fork_of_the_process_that_has_torch(
    runner: RunnerProcess, children: Callable[[], dict[int, str]]
) -> None:
    runner.ensure()
    first, forks = runner.pid, forks_of(runner)
    assert children() == {first: "gradyard-runner", forks.pid: "gradyard-forks"}
    kill_and_wait(runner)
    runner.ensure()
    assert forks_of(runner) == forks
    assert runner.pid != first
    assert runner.hello is not None
    assert runner.hello.pid == runner.pid
    assert children() == {runner.pid: "gradyard-runner", forks.pid: "gradyard-forks"}
    runner.close()
    assert children() == {}


@quick
def test_a_runner_ends_with_the_process_that_forked_it_and_is_replaced(runner: RunnerProcess) -> None:
    runner.ensure()
    first, forks = runner.pid, forks_of(runner)
    forks.kill()
    with pytest.raises(RunnerDied, match="SIGKILL"):
        runner.receive(60)
    send_pack(runner, NO_STEPS, lambda: False)
    assert forks_of(runner) != forks
    assert runner.pid != first


@quick
def test_a_runner_is_replaced_though_the_process_that_forked_it_hangs(runner: RunnerProcess) -> None:
    runner.ensure()
    forks = forks_of(runner)
    forks.suspend()
    assert runner.pid is not None
    os.kill(runner.pid, signal.SIGKILL)
    with pytest.raises(RunnerDied, match="closed its connection"):
        runner.receive(60)
    send_pack(runner, NO_STEPS, lambda: False)
    assert forks_of(runner) != forks


@pytest.fixture
def exits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick_starts: None) -> TrainMessage:
    """A pack whose trainer ends its runner: with status 7 where that had loaded what torch.optim needs, else with 5."""
    code = "import os, sys\ndef Trainer(*_):\n    os._exit(7 if 'torch._dynamo' in sys.modules else 5)\n"
    (tmp_path / "trainer_that_exits.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    return train_message([member("numpy")], 1, trainer="trainer_that_exits:Trainer")


def test_a_runner_that_ends_by_itself_is_told_with_its_status(runner: RunnerProcess, exits: TrainMessage) -> None:
    for _ in range(2):
        runner.ensure()
        runner.send(exits)
        assert isinstance(runner.receive(60), BegunMessage)
        with pytest.raises(RunnerDied, match="status 5"):
            runner.receive(60)


def test_a_pack_of_torch_optim_has_a_runner_that_has_loaded_it_and_so_has_each_after_it(
    runner: RunnerProcess, exits: TrainMessage
) -> None:
    runner.ensure()
    first, forks = runner.pid, forks_of(runner)
    for _ in range(2):
        runner.ensure(optim=True)
        assert runner.pid != first
        send_pack(runner, exits, lambda: False)
        with pytest.raises(RunnerDied, match="status 7"):
            runner.receive(60)
        runner.ensure()
    assert forks_of(runner) == forks
    assert forks.num_threads() == 1, "a fork has no other thread"


@quick
def test_a_pack_finds_a_runner_though_the_last_one_left_for_idleness(
    settings: Settings, children: Callable[[], dict[int, str]]
) -> None:
    runner = RunnerProcess(settings.model_copy(update={"idle_runner_seconds": 0.3}))
    runner.ensure()
    gone = [psutil.Process(pid) for pid in children()]
    _, alive = psutil.wait_procs(gone, timeout=300)
    assert all(each.status() == psutil.STATUS_ZOMBIE for each in alive)
    send_pack(runner, NO_STEPS, lambda: False)
    assert runner.pid not in {each.pid for each in gone}
    runner.close()


@quick
def test_the_process_that_forks_leaves_for_idleness_though_its_runner_was_killed(settings: Settings) -> None:
    runner = RunnerProcess(settings.model_copy(update={"idle_runner_seconds": 3.0}))
    runner.ensure()
    forks = forks_of(runner)
    kill_and_wait(runner)
    psutil.wait_procs([forks], timeout=300)
    assert not forks.is_running() or forks.status() == psutil.STATUS_ZOMBIE
    runner.close()


@quick
def test_a_pack_finds_another_runner_when_the_one_that_was_idle_is_killed(runner: RunnerProcess) -> None:
    runner.ensure()
    assert runner.pid is not None
    os.kill(runner.pid, signal.SIGKILL)
    send_pack(runner, NO_STEPS, lambda: False)


@quick
def test_a_machine_without_room_for_a_process_says_so(
    runner: RunnerProcess, children: Callable[[], dict[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")  # as with EAGAIN: the start itself fails
    with pytest.raises(RunnerDied, match="cannot be started"):
        runner.ensure()
    assert children() == {}


def test_a_worker_that_must_stop_does_not_wait_for_its_runner(
    runner: RunnerProcess, children: Callable[[], dict[int, str]]
) -> None:
    with pytest.raises(WorkerStops, match="does not wait"):
        runner.ensure(lambda: True)
    assert children() == {}


@quick
def test_a_worker_that_must_stop_starts_no_other_process_for_one_that_hangs(
    runner: RunnerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner.ensure()
    forks_of(runner).suspend()
    monkeypatch.setattr("workers.runner_client.forked_runner.start_process", None)
    assert runner.pid is not None
    os.kill(runner.pid, signal.SIGKILL)
    runner._process = None  # how it ended is not asked: the process that knows it hangs
    with pytest.raises(WorkerStops):
        runner.ensure(lambda: True)


@pytest.fixture
def on_gpu(settings: Settings, tmp_path: Path, quick_starts: None) -> Iterator[RunnerProcess]:
    """The runner of a fake GPU, which `gpus.json` describes."""
    (tmp_path / "gpus.json").write_text('["A"]')
    mine = {"device": "gpu", "device_uuid": "GPU-fake-0", "device_name": "A", "fake_gpus": str(tmp_path / "gpus.json")}
    process = RunnerProcess(settings.model_copy(update=mine))
    yield process
    process.close()


def test_a_runner_reports_which_gpu_it_sees(on_gpu: RunnerProcess) -> None:
    on_gpu.ensure()
    assert on_gpu.hello is not None
    assert on_gpu.hello.device_uuid == "GPU-fake-0"


def test_a_gpu_that_does_not_compute_is_broken_at_once_and_good_again_when_it_does(
    on_gpu: RunnerProcess, tmp_path: Path
) -> None:
    (tmp_path / "gpus.json").write_text('[{"name": "A", "fails": "1,024 ones add up to 7"}]')
    with pytest.raises(DeviceBroken, match="add up to 7"):
        on_gpu.ensure()
    (tmp_path / "gpus.json").write_text('["A"]')
    on_gpu.ensure()


def test_a_host_that_can_start_nothing_breaks_no_gpu(on_gpu: RunnerProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.runner_client.started_runner.runner_command", lambda *_, **__: ["/nowhere/at-all"])
    for _ in range(STARTS_ON_GPU + 1):
        with pytest.raises(NotStarted, match="at-all"):
            on_gpu.ensure()


def test_a_gpu_whose_runners_die_at_their_start_time_after_time_is_broken(
    on_gpu: RunnerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    dies = [sys.executable, "-c", "raise SystemExit('no kernel image is available')"]
    monkeypatch.setattr("workers.runner_client.started_runner.runner_command", lambda *_, **__: dies)
    for number in range(STARTS_ON_GPU):
        broken = number == STARTS_ON_GPU - 1
        with pytest.raises(RunnerDied, match="status 1: no kernel image is available") as died:
            on_gpu.ensure()
        assert isinstance(died.value, DeviceBroken) is broken


def test_a_runner_that_does_not_die_is_waited_for_briefly_and_its_gpu_is_given_up(
    on_gpu: RunnerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_gpu.ensure()
    pid = on_gpu.pid
    assert pid is not None
    with monkeypatch.context() as hanging:  # as a process that hangs in a driver: no signal reaches it
        hanging.setattr("workers.runner_client.started_runner.KILL_SECONDS", 0.2)
        hanging.setattr("workers.runner_client.started_runner.os.killpg", lambda *_: None)
        os.kill(pid, signal.SIGSTOP)  # nor does it notice that its supervisor hangs up
        begin = time.monotonic()
        on_gpu.end()
        assert time.monotonic() - begin < 60
        with pytest.raises(DeviceBroken, match=f"process {pid}, does not end"):
            on_gpu.ensure()
    os.kill(pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(pid)], timeout=60)
    on_gpu.ensure()
