"""The supervisor's side of a runner: start it, talk to it, end it."""

import signal
import subprocess
import time
from collections.abc import Callable

import structlog

from gradyard.jobs.fleet import Queue
from gradyard.jobs.settings import Settings
from workers.pool.gpus.inventory import DeviceLost
from workers.protocol.frame import FrameBroken
from workers.protocol.messages import HelloMessage, Message, NoDeviceMessage, NoStartMessage
from workers.protocol.wire import Wire, WireClosed
from workers.runner_client.device_memory import DeviceMemory
from workers.runner_client.errors import CannotCompute, DeviceBroken, NotStarted, RunnerDied
from workers.runner_client.output import Output
from workers.runner_client.start_deadline import StartDeadline
from workers.runner_client.started_runner import StartedRunner, kill, start_runner

log = structlog.get_logger()

STARTS_ON_GPU = 3  # that may fail in a row before the GPU counts as the cause
SPARE_PAUSE_SECONDS = 5.0  # between two starts of spares: one that cannot live must not be started without pause


class RunnerProcess:
    """A runner, started for its first pack and kept warm; `ensure` starts another where it has ended.

    After `prepare_spare` the other one waits beside it already, and the death of a runner costs no start.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._wire: Wire | None = None
        self._spare: StartedRunner | None = None
        self._next_spare_at = 0.0
        self.hello: HelloMessage | None = None
        self.output = Output()
        self._memory = DeviceMemory(settings)
        self._failed_starts = 0
        self._undead: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The runner's pid, where one lives."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def ensure(self, give_up: Callable[[], bool] = lambda: False) -> None:
        """Have a live runner that has sent its hello.

        Raises RunnerDied where none can be started or `give_up()` is true, DeviceBroken where the GPU is the cause.
        """
        if self.pid is not None:
            return
        self.end()
        if Queue(self._settings.device) is Queue.GPU:
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
                in_a_row = f"{STARTS_ON_GPU} starts in a row failed: " if self._failed_starts >= STARTS_ON_GPU else ""
                self._failed_starts = 0  # the GPU is repaired before its drain is lifted
                raise DeviceBroken(f"{in_a_row}{error}") from None
            raise

    def _ensure_any(self, give_up: Callable[[], bool]) -> None:
        spare, self._spare = self._spare, None
        if spare is not None:
            try:
                self._adopt(spare, give_up)
                self.prepare_spare()  # now: the next death may come soon, and this runner has torch loaded already
                return
            except RunnerDied:
                self.end()
        self._adopt(start_runner(self._settings, spare=False), give_up)

    def prepare_spare(self) -> None:
        """Start the next runner, without waiting for it. Does nothing where one is there, or none is wanted."""
        on_cpu = Queue(self._settings.device) is Queue.CPU  # a spare would take memory of a GPU
        is_there = self._spare is not None and self._spare.process.poll() is None
        if on_cpu and self._settings.spare_runner and not is_there and time.monotonic() >= self._next_spare_at:
            self._next_spare_at = time.monotonic() + SPARE_PAUSE_SECONDS
            self._end_spare()
            try:
                self._spare = start_runner(self._settings, spare=True)
            except RunnerDied as error:
                log.warning("no spare runner", error=str(error))

    def free_memory_mib(self) -> int | None:
        """The GPU memory that a pack may take; None where the driver does not tell."""
        return self._memory.free_mib(self.pid)

    def note_memory(self) -> None:
        """Note how much GPU memory is in use now, so that after a kill its return can be checked."""
        self._memory.note(self.pid)

    def send(self, message: Message) -> None:
        """Send to the runner. Raises RunnerDied where it has ended."""
        try:
            assert self._wire is not None
            self._wire.send(message)
        except WireClosed:
            raise RunnerDied(self._cause_of_death()) from None

    def receive(self, seconds: float) -> Message | None:
        """The next message; None where none came within `seconds`.

        Raises RunnerDied where the runner has ended, FrameBroken where what came is no message.
        """
        try:
            assert self._wire is not None
            return self._wire.receive(seconds)
        except WireClosed:
            raise RunnerDied(self._cause_of_death()) from None

    def end(self) -> None:
        """Kill the runner's process group and wait for its end."""
        if self._process is not None:
            if not kill(self._process):
                log.error("a killed runner does not end", pid=self._process.pid)
                self._undead = self._process
            self.output.finish()
        if self._wire is not None:
            self._wire.close()
        self._process, self._wire, self.hello = None, None, None

    def close(self) -> None:
        """End the runner and its spare."""
        self.end()
        self._end_spare()

    def _end_spare(self) -> None:
        if self._spare is not None:
            self._spare.end()
            self._spare = None

    def _adopt(self, started: StartedRunner, give_up: Callable[[], bool]) -> None:
        self._process, self._wire = started.process, started.wire
        self.output.listen(started.output)
        deadline = StartDeadline(started.process.pid)
        while (first := self._receive_first()) is None:
            if deadline.is_over() or give_up():
                self.end()
                raise RunnerDied("the worker stops and does not wait for its runner" if give_up() else str(deadline))
        if isinstance(first, HelloMessage):
            self.hello = first
            return
        self.end()
        match first:
            case NoDeviceMessage(reason=reason):
                raise CannotCompute(reason)
            case NoStartMessage(reason=reason):
                raise NotStarted(reason)
        raise NotStarted(f"its first message is a {type(first).__name__}")

    def _receive_first(self) -> Message | None:
        try:
            return self.receive(0.2)
        except RunnerDied as error:
            lines = self.output.kept()[0].strip().splitlines()
            raise RunnerDied(f"{error}: {lines[-1]}" if lines else str(error)) from None
        except FrameBroken as error:
            self.end()
            raise NotStarted(f"its first message is none: {error}") from None

    def _cause_of_death(self) -> str:
        if self._process is None:
            return "the runner has ended"
        try:
            status = self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            return "the runner closed its connection"
        if status < 0:
            return f"the runner died of {signal.Signals(-status).name}"
        return f"the runner ended with status {status}"
