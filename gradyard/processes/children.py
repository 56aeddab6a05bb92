"""Starts, watches and stops child processes that cannot outlive this one. Each runs below a tether (`tether.py`)."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from gradyard.processes import tether

TAIL_BYTES = 64 * 1024  # read from the end of a log
KILL_SECONDS = 2.0  # after that, the tether is killed as well


class Child:
    """A child process. It ends within `orphan_grace_seconds` of its parent, also when the parent gets kill -9.

    `env` is its whole environment, `folder` its current folder; None: those of the parent. Its stdin is the file
    `input_path`; None: it is empty. Its stdout and stderr are appended to `log_path`; None: they go where the parent's
    go. It leads a session of its own, so a Ctrl-C in the terminal reaches the parent alone, which decides the order of
    stopping. If the parent forks without exec, the fork holds the pipe too, and the child lives as long as both.
    """

    def __init__(
        self,
        name: str,
        command: list[str],
        env: dict[str, str] | None = None,
        log_path: Path | None = None,
        *,
        folder: Path | None = None,
        input_path: Path | None = None,
        orphan_grace_seconds: float = 5.0,
    ) -> None:
        self.name = name
        self.command = command
        self.log_path = log_path
        self._env = env
        self._folder = folder
        self._input_path = input_path
        self._orphan_grace_seconds = orphan_grace_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline: int | None = None

    def start(self) -> None:
        """Starts the command, also when it has ended. Raises OSError if the system cannot start it or open the log."""
        if self._process is not None and self.returncode() is None:
            raise RuntimeError(f"{self.name} is already running (process {self._process.pid})")
        read_end, write_end = os.pipe()  # the tether alone inherits the read end
        try:
            self._process = self._start_tether(read_end)
        except BaseException:
            os.close(write_end)
            raise
        finally:
            os.close(read_end)
        self._lifeline = write_end

    def _start_tether(self, lifeline: int) -> subprocess.Popen[bytes]:
        # -I and -S: the tether needs the standard library alone; it starts in 20 ms instead of 60
        command = [sys.executable, "-I", "-S", tether.__file__, str(lifeline)]
        command += ["--grace", str(self._orphan_grace_seconds), "--", *self.command]
        with contextlib.ExitStack() as opened:
            stdin = opened.enter_context((self._input_path or Path(os.devnull)).open("rb"))
            log = None
            if self.log_path is not None:
                self.log_path.parent.mkdir(parents=True, exist_ok=True)
                log = opened.enter_context(self.log_path.open("ab"))
            return subprocess.Popen(
                command,
                env=self._env,
                cwd=self._folder,
                stdin=stdin,
                stdout=log,
                stderr=log,
                pass_fds=[lifeline],
                start_new_session=True,
            )

    @property
    def pid(self) -> int | None:
        """The process id of the tether, whose only child is the command; None before the first start."""
        return None if self._process is None else self._process.pid

    def returncode(self) -> int | None:
        """The exit status of the command, 128 + n after signal n; None while it runs or before the first start."""
        status = None if self._process is None else self._process.poll()
        if status is not None:
            self._close_lifeline()
        return status

    def terminate(self) -> None:
        """Sends SIGTERM to the command."""
        if self._process is not None:
            self._process.terminate()

    def kill(self) -> None:
        """Kills the command and its process group; returns when they have ended, after 2 s at most."""
        if self._process is None or self._lifeline is None:
            return
        with contextlib.suppress(BrokenPipeError):
            os.write(self._lifeline, tether.KILL)
        if not self.wait(KILL_SECONDS):  # the tether itself is stopped; on Linux the command dies with it
            self._process.kill()

    def wait(self, seconds: float) -> bool:
        """Waits `seconds` at most until it ends; returns whether it has ended. True before the first start."""
        if self._process is None:
            return True
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        self._close_lifeline()
        return True

    def tail(self, lines: int) -> list[str]:
        """At most `lines` last lines of its log; empty without a log."""
        if self.log_path is None or not self.log_path.exists():
            return []
        with self.log_path.open("rb") as log:
            log.seek(max(0, self.log_path.stat().st_size - TAIL_BYTES))
            return log.read().decode(errors="replace").splitlines()[-lines:]

    def _close_lifeline(self) -> None:
        lifeline, self._lifeline = self._lifeline, None
        if lifeline is not None:
            os.close(lifeline)


def stop_in_order(children: Iterable[Child], grace_seconds: float, hurry: Callable[[], bool] = lambda: False) -> None:
    """Stops one child after the other: SIGTERM, at most `grace_seconds`, kill. `hurry()` true: kill at once."""
    for child in children:
        child.terminate()
        give_up_at = time.monotonic() + grace_seconds
        while not hurry() and time.monotonic() < give_up_at:
            if child.wait(0.1):
                break
        if not child.wait(0):
            child.kill()
