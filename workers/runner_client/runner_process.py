"""The supervisor's side of a runner: start it, talk to it, end it."""

import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

import structlog

from gradyard.jobs.settings import Settings
from workers.pool.gpus.inventory import DeviceLost
from workers.protocol.wire import Frame, Wire, WireClosed
from workers.runner_client.device_memory import DeviceMemory
from workers.runner_client.errors import CannotCompute, DeviceBroken, NotStarted, RunnerDied
from workers.runner_client.output import Output
from workers.runner_client.started_runner import Started, kill, start_runner

log = structlog.get_logger()

START_SECONDS = 120.0  # a cold disk and a big torch
STARTS_ON_GPU = 3  # that fail one after the other: it is the GPU
SPARE_PAUSE_SECONDS = 5.0  # between two spares: one that cannot live must not be started again and again


class RunnerProcess:
    """A runner, started at its first pack and kept warm; `ensure` starts another where it has left.

    With `prepare_spare`, the other waits beside it already, and a runner's death costs no start.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._wire: Wire | None = None
        self._spare: Started | None = None
        self._next_spare_at = 0.0
        self.facts: dict[str, Any] = {}
        self.output = Output()
        self._memory = DeviceMemory(settings)
        self._failed_starts = 0
        self._undead: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The runner's pid, where one lives."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def ensure(self, give_up: Callable[[], bool] = lambda: False) -> None:
        """Have a live runner that said hello; RunnerDied where it cannot be started, or `give_up()` says so.

        DeviceBroken where it is the GPU that lets none start.
        """
        if self.pid is not None:
            return
        self.end()
        if self._settings.device == "gpu":
            self._ensure_on_gpu(give_up)
        else:
            self._ensure_any(give_up)

    def _ensure_on_gpu(self, give_up: Callable[[], bool]) -> None:
        try:
            if self._undead is not None and self._undead.poll() is None:
                raise DeviceLost(f"its runner, process {self._undead.pid}, does not end, though it was killed")
            self._memory.wait_until_free(give_up)
            self._ensure_any(give_up)
            self._memory.look()
            self._failed_starts = 0
        except NotStarted:
            raise
        except (DeviceLost, RunnerDied) as error:
            self.end()
            if give_up():
                raise RunnerDied(str(error)) from None
            self._failed_starts += 1
            if isinstance(error, DeviceLost | CannotCompute) or self._failed_starts >= STARTS_ON_GPU:
                again = "" if self._failed_starts < STARTS_ON_GPU else f"{self._failed_starts} starts in a row failed: "
                self._failed_starts = 0  # whoever undrains it has mended it
                raise DeviceBroken(f"{again}{error}") from None
            raise

    def _ensure_any(self, give_up: Callable[[], bool]) -> None:
        spare, self._spare = self._spare, None
        if spare is not None:
            try:
                self._adopt(spare, give_up)
                self.prepare_spare()  # at once: the next death may come soon, and this one has torch loaded already
                return
            except RunnerDied:
                self.end()
        self._adopt(start_runner(self._settings, spare=False), give_up)

    def prepare_spare(self) -> None:
        """Start the next runner, without waiting for it; nothing where there is one, or where none is wanted."""
        wanted = self._settings.spare_runner and self._settings.device == "cpu"  # a spare would hold a GPU's memory
        there = self._spare is not None and self._spare.process.poll() is None
        if wanted and not there and time.monotonic() >= self._next_spare_at:
            self._next_spare_at = time.monotonic() + SPARE_PAUSE_SECONDS
            self._end_spare()
            try:
                self._spare = start_runner(self._settings, spare=True)
            except RunnerDied as error:
                log.warning("no spare runner", error=str(error))

    def free_memory_mib(self) -> int | None:
        """What a pack may take of the GPU's memory; None where that is not known."""
        return self._memory.free_mib(self.pid)

    def note_memory(self) -> None:
        """See now and then what the pack takes of the GPU: a killed runner's is known by it."""
        self._memory.note(self.pid)

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
            if not kill(self._process):
                log.error("a killed runner does not end", pid=self._process.pid)
                self._undead = self._process
            self.output.finish()
        if self._wire is not None:
            self._wire.close()
        self._process, self._wire, self.facts = None, None, {}

    def close(self) -> None:
        """End the runner and its spare."""
        self.end()
        self._end_spare()

    def _end_spare(self) -> None:
        if self._spare is not None:
            self._spare.end()
            self._spare = None

    def _adopt(self, started: Started, give_up: Callable[[], bool]) -> None:
        self._process, self._wire = started.process, started.wire
        self.output.listen(started.said)
        until = time.monotonic() + START_SECONDS
        while (hello := self._hears()) is None:
            if time.monotonic() > until or give_up():
                self.end()
                raise RunnerDied("it was not waited for" if give_up() else f"no start within {START_SECONDS:.0f} s")
        if hello.kind != "hello":
            self.end()
            raise (CannotCompute if hello.kind == "no device" else NotStarted)(hello.fields["why"])
        self.facts = hello.fields

    def _hears(self) -> Frame | None:
        try:
            return self.receive(0.2)
        except RunnerDied as error:
            said = self.output.said()[0].strip().splitlines()
            raise RunnerDied(f"{error}: {said[-1]}" if said else str(error)) from None

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
