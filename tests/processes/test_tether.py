"""A command below a tether ends when its parent does, whichever way."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradyard.processes import tether
from tests.processes.processes_for_tests import (
    IGNORES_SIGTERM,
    LEAVES_ONE_BEHIND,
    WAITS,
    WITH_A_DEAF_CHILD,
    becomes_true,
    pid_in,
    python,
    runs,
)


class Tethered:
    """A tether whose parent is this test: `write_end` is what its life hangs on."""

    def __init__(self, command: list[str], grace_seconds: float = 0.3) -> None:
        read_end, self.write_end = os.pipe()
        arguments = [str(read_end), "--grace", str(grace_seconds), "--", *command]
        self.process = subprocess.Popen(
            [sys.executable, "-I", tether.__file__, *arguments], pass_fds=[read_end], stderr=subprocess.PIPE
        )
        os.close(read_end)

    def let_go(self) -> None:
        if self.write_end >= 0:
            os.close(self.write_end)
            self.write_end = -1


@pytest.fixture
def start() -> Iterator[type[Tethered]]:
    started: list[Tethered] = []

    class Remembered(Tethered):
        def __init__(self, command: list[str], grace_seconds: float = 0.3) -> None:
            super().__init__(command, grace_seconds)
            started.append(self)

    yield Remembered
    for one in started:
        one.let_go()
        one.process.wait(120)
        assert one.process.stderr is not None
        one.process.stderr.close()


@pytest.mark.parametrize(("code", "status"), [("raise SystemExit(0)", 0), ("raise SystemExit(23)", 23)])
def test_the_status_is_the_commands(start: type[Tethered], code: str, status: int) -> None:
    assert start(python(code)).process.wait(120) == status


def test_a_command_that_a_signal_ended_gives_128_and_its_number(start: type[Tethered]) -> None:
    assert start(python("import os; os.kill(os.getpid(), 9)")).process.wait(120) == 128 + 9


def test_a_command_that_does_not_exist_gives_127_and_one_line(start: type[Tethered]) -> None:
    tethered = start(["no-such-command-anywhere"])
    assert tethered.process.wait(120) == 127
    assert tethered.process.stderr is not None
    assert tethered.process.stderr.read().decode() == (
        "tether: cannot start no-such-command-anywhere: No such file or directory\n"
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_are_handed_on(start: type[Tethered], tmp_path: Path, number: int) -> None:
    code = (
        "import signal, sys, time\n"
        f"signal.signal({int(number)}, lambda *_: sys.exit(31))\n"
        "open(sys.argv[1], 'w').write('1')\n"
        "time.sleep(600)"
    )
    tethered = start(python(code, tmp_path / "pid"))
    pid_in(tmp_path / "pid")
    tethered.process.send_signal(number)
    assert tethered.process.wait(120) == 31


def test_end_of_file_ends_the_command_by_sigterm(start: type[Tethered], tmp_path: Path) -> None:
    tethered = start(python(WAITS, tmp_path / "pid"), grace_seconds=600)
    pid = pid_in(tmp_path / "pid")
    tethered.let_go()
    assert tethered.process.wait(120) == 128 + signal.SIGTERM
    assert not runs(pid)


def test_after_the_grace_the_deaf_are_killed(start: type[Tethered], tmp_path: Path) -> None:
    tethered = start(python(IGNORES_SIGTERM, tmp_path / "pid"))
    pid_in(tmp_path / "pid")
    tethered.let_go()
    assert tethered.process.wait(120) == 128 + signal.SIGKILL


def test_the_whole_group_goes(start: type[Tethered], tmp_path: Path) -> None:
    tethered = start(python(WITH_A_DEAF_CHILD, tmp_path / "pid"))
    grandchild = pid_in(tmp_path / "pid")
    tethered.let_go()
    tethered.process.wait(120)
    assert becomes_true(lambda: not runs(grandchild), 60)


def test_what_a_command_leaves_in_its_group_is_killed(start: type[Tethered], tmp_path: Path) -> None:
    tethered = start(python(LEAVES_ONE_BEHIND, tmp_path / "pid"))
    assert tethered.process.wait(120) == 7
    left_behind = pid_in(tmp_path / "pid")
    assert becomes_true(lambda: not runs(left_behind), 60)


def test_the_parent_can_ask_for_a_kill(start: type[Tethered], tmp_path: Path) -> None:
    tethered = start(python(IGNORES_SIGTERM, tmp_path / "pid"), grace_seconds=600)
    pid_in(tmp_path / "pid")
    os.write(tethered.write_end, tether.KILL)
    assert tethered.process.wait(120) == 128 + signal.SIGKILL


def test_a_signal_to_hand_on_to_a_command_that_has_just_ended_does_not_lose_its_status(
    start: type[Tethered], tmp_path: Path
) -> None:
    tethered = start(python(IGNORES_SIGTERM, tmp_path / "pid"), grace_seconds=600)
    pid = pid_in(tmp_path / "pid")
    tethered.process.send_signal(signal.SIGSTOP)  # so that it finds both at once when it goes on
    os.kill(pid, signal.SIGKILL)
    tethered.process.send_signal(signal.SIGTERM)
    tethered.process.send_signal(signal.SIGCONT)
    assert tethered.process.wait(120) == 128 + signal.SIGKILL


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells a child of its parent's death")
def test_killing_the_tether_kills_the_command(start: type[Tethered], tmp_path: Path) -> None:
    tethered = start(python(IGNORES_SIGTERM, tmp_path / "pid"), grace_seconds=600)
    pid = pid_in(tmp_path / "pid")
    tethered.process.kill()
    assert becomes_true(lambda: not runs(pid), 60)
