"""Ctrl-C at any moment of `gradyard up` and `gradyard demo`: no traceback, exit status 130, and nothing stays."""

import signal
import time
from itertools import cycle
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from gradyard.client.endpoint import running_stack
from gradyard.local.state_folder import StateFolder
from tests.local.up_command import Command, Start, nothing_left_after, up

pytestmark = pytest.mark.stack

# Seconds after the command's own modules began to load: while they load, while Redis starts, during the migrations,
# while the API and the workers start, and beside the ready stack. test_up interrupts a ready one each time.
MOMENTS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.3, 1.6, 2.0, 2.5, 3.5, 5.0)
OFTEN = (0.2, 0.6, 1.0, 1.6, 2.5)
OF_A_DEMO = (0.2, 1.0, 2.0, 4.0, 8.0)
OFTEN_OF_A_DEMO = (0.2, 1.0, 4.0)


def _interrupt(command: Command, seconds: float, times: int) -> None:
    while not _loads_our_modules(command) and command.process.poll() is None:
        time.sleep(0.002)
    at = time.monotonic() + seconds
    while time.monotonic() < at:
        command.look_around()
        time.sleep(max(0.0, min(0.05, at - time.monotonic())))
    for _ in range(times):
        command.process.send_signal(signal.SIGINT)
        time.sleep(0.1)


def _loads_our_modules(command: Command) -> bool:
    """Before that, Python itself is starting, and answers Ctrl-C as it likes."""
    return "_pydantic_core" in Path(f"/proc/{command.process.pid}/maps").read_text()


def _rarely(moment: float, *more: int, often: tuple[float, ...]) -> ParameterSet:
    return pytest.param(moment, *more, marks=[] if moment in often else pytest.mark.long)


@pytest.mark.parametrize(
    ("seconds", "times"),
    [_rarely(moment, times, often=OFTEN) for moment, times in zip(MOMENTS, cycle([2, 2, 1, 1]), strict=False)],
)
def test_ctrl_c_ends_it_without_a_traceback_and_leaves_nothing(
    start: Start, state: Path, seconds: float, times: int
) -> None:
    command = up(start)
    _interrupt(command, seconds, times)
    assert command.ends() == 130
    assert nothing_left_after(command)
    ours = [line for line in command.lines if not line.startswith(("ready: ", "gradyard: the state is in "))]
    assert ours in ([], ["gradyard: stopping; press Ctrl-C again to kill what still runs"])
    assert running_stack(state) is None
    folder = StateFolder(state)
    assert folder.take() == []
    folder.leave()


@pytest.mark.parametrize("seconds", [_rarely(moment, often=OFTEN_OF_A_DEMO) for moment in OF_A_DEMO])
def test_ctrl_c_in_a_demo_says_what_is_left(start: Start, seconds: float) -> None:
    command = start("demo")
    _interrupt(command, seconds, 1)
    assert command.ends() == 130
    assert nothing_left_after(command)
    assert not any("Traceback" in line for line in command.lines)
    assert not command.lines or command.lines[-1].startswith("interrupted")
