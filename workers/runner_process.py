"""The supervisor's side of a runner: start it, talk to it, end it."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from typing import Any

from jobs.settings import Settings
from workers.numerics import one_thread_environment
from workers.output import Output
from workers.wire import Frame, Wire, WireClosed

START_SECONDS = 120.0  # a cold disk and a big torch

# What a runner may know of its surroundings. No database, no Redis, no key.
_ENVIRONMENT_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH", "TZ",
                     "NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES")  # fmt: skip


class RunnerDied(Exception):
    """The runner ended without being asked to."""


class RunnerProcess:
    """A runner, started at its first pack and kept warm; `ensure` starts another where it has left."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._wire: Wire | None = None
        self.facts: dict[str, Any] = {}
        self.output = Output()

    @property
    def pid(self) -> int | None:
        """The runner's pid, where one lives."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def ensure(self) -> None:
        """Have a live runner that said hello; RunnerDied where it cannot be started."""
        if self.pid is None:
            self.end()
            self._start()

    def send(self, frame: Frame) -> None:
        """Send to the runner; RunnerDied where it is gone."""
        try:
            assert self._wire is not None
            self._wire.send(frame)
        except WireClosed:
            raise RunnerDied(self._last_words()) from None

    def receive(self, seconds: float) -> Frame | None:
        """What the runner says within `seconds`; RunnerDied where it is gone."""
        try:
            assert self._wire is not None
            return self._wire.receive(seconds)
        except WireClosed:
            raise RunnerDied(self._last_words()) from None

    def end(self) -> None:
        """Kill the runner's whole group and wait for it."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self.output.finish()
        if self._wire is not None:
            self._wire.close()
        self._process, self._wire = None, None

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        said = self.output.open()
        try:
            with theirs:
                self._process = subprocess.Popen(
                    self._command(theirs.fileno()), env=self._environment(), pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True,
                )  # fmt: skip
        finally:
            os.close(said)
        self._wire = Wire(ours)
        hello = self.receive(START_SECONDS)
        if hello is None:
            self.end()
            raise RunnerDied(f"it did not start within {START_SECONDS:.0f} s")
        self.facts = hello.fields

    def _command(self, wire: int) -> list[str]:
        settings = self._settings
        device = "cuda" if settings.device == "gpu" and not settings.fake_gpus else "cpu"
        name = settings.device_name or settings.device
        # -u: what a trainer prints is in the pipe before the frame that ends its attempt
        command = [sys.executable, "-u", "-m", "workers.runner", "--wire", str(wire), "--parent", str(os.getpid())]
        command += ["--device", device, "--device-name", name, "--idle-seconds", str(settings.idle_runner_seconds)]
        return command + (["--cpus", ",".join(map(str, settings.cpus))] if settings.cpus else [])

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name in _ENVIRONMENT_KEPT}
        # Before torch is imported: it sees exactly one device, or none.
        return kept | one_thread_environment() | {"CUDA_VISIBLE_DEVICES": self._settings.device_uuid or ""}

    def _last_words(self) -> str:
        if self._process is None:
            return "the runner is gone"
        try:
            status = self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            return "the runner hung up"
        if status < 0:
            return f"the runner died of {signal.Signals(-status).name}"
        return f"the runner left with status {status}"
