"""Starts, watches and stops processes that cannot outlive us; each runs below a tether (`tether.py`)."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from gradyard.processes import tether

TAIL_BYTES = 64 * 1024  # what of a log is read for its last lines
KILL_SECONDS = 2.0  # for a tether to kill its group, before it is killed itself


class Child:
    """One process of ours. It ends within `orphan_grace_seconds` of our own end, even if that is a kill -9.

    `log_path` gets its stdout and stderr, appended; None: they are ours. `env` is its whole environment; None: ours.
    It leads a session of its own, so a Ctrl-C in our terminal reaches us alone and the order of stopping stays ours.
    A parent that forks without exec hands the pipe to the fork, and the child then lives as long as both.
    """

    def __init__(
        self,
        name: str,
        command: list[str],
        env: dict[str, str] | None = None,
        log_path: Path | None = None,
        *,
        folder: Path | None = None,
        orphan_grace_seconds: float = 5.0,
    ) -> None:
        self.name = name
        self.command = command
        self.log_path = log_path
        self._env = env
        self._folder = folder
        self._orphan_grace_seconds = orphan_grace_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline: int | None = None

    def start(self) -> None:
        """Starts it; again, if it has ended. OSError if there is no room for a process or the log cannot be opened."""
        if self._process is not None and self.returncode() is None:
            raise RuntimeError(f"{self.name} is running already (process {self._process.pid})")
        read_end, write_end = os.pipe()  # neither is inherited, but for the read end by the tether
        try:
            self._process = self._start_tether(read_end)
        except BaseException:
            os.close(write_end)
            raise
        finally:
            os.close(read_end)
        self._lifeline = write_end

    def _start_tether(self, lifeline: int) -> subprocess.Popen[bytes]:
        # -I and -S: the tether needs the standard library alone, and starts in 20 ms instead of 60
        command = [sys.executable, "-I", "-S", tether.__file__, str(lifeline)]
        command += ["--grace", str(self._orphan_grace_seconds), "--", *self.command]
        log = None
        if self.log_path is not None:
            self.log_path.parent.mkdir(parents=True, exist_ok=True)
            log = self.log_path.open("ab")
        try:
            return subprocess.Popen(
                command,
                env=self._env,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[lifeline],
                start_new_session=True,
            )
        finally:
            if log is not None:
                log.close()

    @property
    def pid(self) -> int | None:
        """The process id of its tether (the command is the tether's only child); None before the first start."""
        return None if self._process is None else self._process.pid

    def returncode(self) -> int | None:
        """None while it runs or was never started, then its exit status; 128 + n where signal n ended it."""
        status = None if self._process is None else self._process.poll()
        if status is not None:
            self._let_go()
        return status

    def terminate(self) -> None:
        """Asks it to end (SIGTERM to the command)."""
        if self._process is not None:
            self._process.terminate()

    def kill(self) -> None:
        """Kills the command and its whole process group; returns when that is done, after 2 s at the latest."""
        if self._process is None or self._lifeline is None:
            return
        with contextlib.suppress(BrokenPipeError):
            os.write(self._lifeline, tether.KILL)
        if not self.wait(KILL_SECONDS):  # somebody stopped the tether itself; Linux kills the command with it
            self._process.kill()

    def wait(self, seconds: float) -> bool:
        """Waits for its end, `seconds` at most; says whether it has ended. One never started has."""
        if self._process is None:
            return True
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        self._let_go()
        return True

    def tail(self, lines: int) -> list[str]:
        """The last lines of its log, fewer if there are fewer; empty without a log."""
        if self.log_path is None or not self.log_path.exists():
            return []
        with self.log_path.open("rb") as log:
            log.seek(max(0, self.log_path.stat().st_size - TAIL_BYTES))
            return log.read().decode(errors="replace").splitlines()[-lines:]

    def _let_go(self) -> None:
        lifeline, self._lifeline = self._lifeline, None
        if lifeline is not None:
            os.close(lifeline)


def stop_in_order(children: Iterable[Child], grace_seconds: float, hurry: Callable[[], bool] = lambda: False) -> None:
    """Stops each before the next is asked: SIGTERM, `grace_seconds`, kill. Once `hurry()` is true, no more grace."""
    for child in children:
        child.terminate()
        give_up_at = time.monotonic() + grace_seconds
        while not hurry() and time.monotonic() < give_up_at:
            if child.wait(0.1):
                break
        if not child.wait(0):
            child.kill()
