"""A `gradyard` command that runs as a process: what it printed, and the processes that it ever had."""

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import psutil

START_SECONDS = 300.0  # a start takes two seconds; a busy machine needs more


def environment_without_settings() -> dict[str, str]:
    """The environment of the tests, without the settings of a service."""
    settings = ("DATABASE_URL", "REDIS_URL", "PORT", "GRADYARD_")
    return {name: value for name, value in os.environ.items() if not name.startswith(settings)}


class Command:
    """The command: `lines` is what it has printed so far, `descendants` every process that it has had."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path | None = None) -> None:
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            preexec_fn=_hear_ctrl_c,
        )  # fmt: skip
        self.lines: list[str] = []
        self.descendants: dict[int, psutil.Process] = {}
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                self.lines.append(line.rstrip("\n"))

    def says(self, pattern: str, seconds: float = START_SECONDS) -> str:
        """The first line that matches `pattern`, as soon as it is printed."""
        give_up_at = time.monotonic() + seconds
        while time.monotonic() < give_up_at:
            self.look_around()
            for line in list(self.lines):
                if re.search(pattern, line):
                    return line
            assert self.process.poll() is None or self._reader.is_alive(), f"it ended and printed: {self.lines}"
            time.sleep(0.1)  # a look around reads every process of the machine
        raise AssertionError(f"no {pattern!r} within {seconds} s in {self.lines}")

    def look_around(self) -> list[psutil.Process]:
        """Its processes now; they are remembered in `descendants`."""
        try:
            now = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        self.descendants |= {process.pid: process for process in now}
        return now

    def descendant(self, word: str) -> psutil.Process:
        """The first of its processes with `word` in its command line that is no tether."""
        for process in self.look_around():
            line = " ".join(process.cmdline())
            if word in line and "tether" not in line:
                return process
        raise AssertionError(f"there is no {word}")

    def ends(self, seconds: float = 120.0) -> int:
        """Its exit status, once it has ended."""
        status = self.process.wait(seconds)
        self._reader.join(10)
        return status

    def left_behind(self) -> list[str]:
        """The command lines of its processes that still run."""
        return [" ".join(process.cmdline()) for process in self.descendants.values() if _runs(process)]

    def kill(self) -> None:
        """Kills the command and every process that it has had."""
        self.look_around()
        self.process.kill()
        self.ends()
        for process in self.descendants.values():
            if _runs(process):
                process.kill()


def _hear_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # tests in the background of a shell inherit that it is ignored


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


Start = Callable[..., Command]
UP = ("up", "--port", "0", "--cpu-slots", "1", "--gpus", "none")


class Ready(NamedTuple):
    """A stack that is up: its command, state folder and address, and the settings by which others find it."""

    command: Command
    state: Path
    url: str
    settings: dict[str, str]


def up(start: Start, *arguments: str, **more: str) -> Command:
    return start(*UP, *arguments, **more)


def url_of(command: Command) -> str:
    return command.says("^ready: ").removeprefix("ready: ")


def nothing_left_after(command: Command, seconds: float = 60.0) -> bool:
    give_up_at = time.monotonic() + seconds
    while command.left_behind() and time.monotonic() < give_up_at:
        time.sleep(0.05)
    assert command.left_behind() == []
    return True
