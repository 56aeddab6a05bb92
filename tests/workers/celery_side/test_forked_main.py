"""What Celery's main process loads is loaded once: where a signal kills it, a fork of the loaded one goes on."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.processes.processes_for_tests import becomes_true, pid_in, runs
from workers.celery_side.forked_main import MOST_YOUNG

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere none is forked")
SECONDS = 120.0
LOADS = """
import os, sys, time
from workers.celery_side import forked_main
forked_main.STEADY_SECONDS = float(sys.argv[2])
forked_main.stay_behind()
"""
WAITS = """
with open(sys.argv[1] + ".new", "w") as file:
    file.write(str(os.getpid()))
os.replace(sys.argv[1] + ".new", sys.argv[1])
time.sleep(600)
"""
ENDS_ITSELF = "sys.exit(7)"

Start = Callable[[str, float], subprocess.Popen[str]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where each fork writes its pid."""
    return tmp_path / "pid"


@pytest.fixture
def start(file: Path) -> Iterator[Start]:
    """Starts a process that stays behind, and whose forks run some code. A fork is steady after these seconds."""
    started: list[subprocess.Popen[str]] = []

    def run(code: str, steady_seconds: float) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", LOADS + code, str(file), str(steady_seconds)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True))
        return started[-1]

    yield run
    for each in started:
        each.kill()
        each.communicate()


def fork_after(file: Path, earlier: int) -> int:
    """The pid of the fork that began after the one of that pid."""
    assert becomes_true(lambda: pid_in(file) != earlier, SECONDS)
    return pid_in(file)


def test_one_that_a_signal_killed_is_followed_by_another_until_a_stop_ends_both(start: Start, file: Path) -> None:
    process = start(WAITS, 0.0)
    first = fork_after(file, 0)
    os.kill(first, signal.SIGKILL)
    second = fork_after(file, first)
    os.kill(second, signal.SIGSEGV)
    third = fork_after(file, second)
    os.kill(third, signal.SIGTERM)  # its own handler, not that of the one that stayed
    fourth = fork_after(file, third)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 128 + signal.SIGTERM
    assert not runs(fourth)
    assert [line.split("; ")[0] for line in said.splitlines()] == [
        f"Celery's main process was killed by signal {number}" for number in (9, 11, 15)
    ]  # fmt: skip


def test_the_status_of_one_that_ended_itself_is_that_of_both(start: Start) -> None:
    process = start(ENDS_ITSELF, 0.0)
    assert process.wait(SECONDS) == 7


def test_one_that_is_killed_young_again_and_again_is_left_to_the_pool_which_waits(start: Start, file: Path) -> None:
    process, fork = start(WAITS, 600.0), 0
    for _ in range(MOST_YOUNG + 1):
        fork = fork_after(file, fork)
        os.kill(fork, signal.SIGKILL)
    assert process.wait(SECONDS) == 128 + signal.SIGKILL


def test_a_fork_does_not_outlive_the_one_that_stayed_behind(start: Start, file: Path) -> None:
    process = start(WAITS, 0.0)
    fork = fork_after(file, 0)
    process.kill()
    assert becomes_true(lambda: not runs(fork), SECONDS)


def test_a_stop_that_came_between_two_forks_reaches_the_later() -> None:
    code = """
import sys, time
from workers.celery_side.forked_main import Forks
forks = Forks()
forks.told_to_stop = True
if forks.begin() == 0:
    time.sleep(600)
sys.exit(-forks.wait())
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=SECONDS).returncode == signal.SIGTERM
