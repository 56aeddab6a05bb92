"""The supervisor's side of a runner: start it, talk to it, end it."""

import signal
import subprocess
from collections.abc import Callable

import structlog

from gradyard.jobs.fleet import Queue
from gradyard.jobs.settings import Settings
from workers.pool.gpus.inventory import DeviceLost
from workers.protocol.frame import FrameBroken
from workers.protocol.messages import HelloMessage, Message, NoDeviceMessage, NoStartMessage
from workers.protocol.wire import Wire, WireClosed
from workers.runner.forks import can_fork
from workers.runner_client.device_memory import DeviceMemory
from workers.runner_client.errors import CannotCompute, DeviceBroken, NotStarted, RunnerDied, WorkerStops
from workers.runner_client.forked_runner import ForkingProcess
from workers.runner_client.output import Output
from workers.runner_client.start_deadline import StartDeadline
from workers.runner_client.started_runner import RunningProcess, StartedRunner, kill, start_runner

log = structlog.get_logger()

STARTS_ON_GPU = 3  # that may fail in a row before the GPU counts as the cause


class RunnerProcess:
    """A runner, started for its first pack and kept warm; `ensure` starts another where it has ended.

    On a CPU it is a fork of a process that has loaded torch, where the system can fork such a one: the death of a
    runner costs no start. After a fork CUDA cannot be used, so the runner of a GPU is started by itself.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: RunningProcess | None = None
        self._wire: Wire | None = None
        self._forks = ForkingProcess(settings) if Queue(settings.device) is Queue.CPU and can_fork() else None
        self.hello: HelloMessage | None = None
        self.output = Output()
        self._memory = DeviceMemory(settings)
        self._failed_starts = 0
        self._undead: RunningProcess | None = None

    @property
    def pid(self) -> int | None:
        """The runner's pid, where one lives."""
        return process.pid if (process := self._process) and process.lives else None

    def ensure(self, give_up: Callable[[], bool] = lambda: False, *, optim: bool = False) -> None:
        """Have a live runner that has sent its hello. Nothing may be under way in the one that there is.

        optim: for a pack that needs torch.optim. Where the process that forks has not loaded that, it does so now, and
        not beside a training: until it has, it replaces no runner that dies.

        Raises WorkerStops where `give_up()` is true, RunnerDied where none can be started, and DeviceBroken where the
        GPU is the cause.
        """
        lacks_optim = optim and self._forks is not None and not self._forks.has_optim
        if self.pid is not None and not lacks_optim:
            return
        self.end()
        if Queue(self._settings.device) is Queue.GPU:
            self._ensure_on_gpu(give_up)
        else:
            self._ensure_any(give_up, optim=optim)

    def _ensure_on_gpu(self, give_up: Callable[[], bool]) -> None:
        try:
            if self._undead is not None and self._undead.lives:
                raise DeviceLost(f"its runner, process {self._undead.pid}, does not end, though it was killed")
            self._memory.wait_until_free(give_up)
            self._ensure_any(give_up, optim=False)
            self._memory.look()
            self._failed_starts = 0
        except (NotStarted, WorkerStops):
            raise
        except (DeviceLost, RunnerDied) as error:
            self.end()
            if give_up():
                raise WorkerStops(str(error)) from None
            self._failed_starts += 1
            if isinstance(error, DeviceLost | CannotCompute) or self._failed_starts >= STARTS_ON_GPU:
                in_a_row = f"{STARTS_ON_GPU} starts in a row failed: " if self._failed_starts >= STARTS_ON_GPU else ""
                self._failed_starts = 0  # the GPU is repaired before its drain is lifted
                raise DeviceBroken(f"{in_a_row}{error}") from None
            raise

    def _ensure_any(self, give_up: Callable[[], bool], *, optim: bool) -> None:
        if self._forks is None:
            return self._adopt(start_runner(self._settings), give_up)
        if self._forks.lives:
            try:
                return self._adopt(self._forks.fork(optim=optim), give_up)
            except WorkerStops:
                raise
            except RunnerDied:  # it may just have left, being idle
                self._forks.end()
        return self._adopt(self._forks.fork(optim=optim), give_up)

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
        """End the runner, and the process that forks runners."""
        self.end()
        if self._forks is not None:
            self._forks.end()

    def _adopt(self, started: StartedRunner, give_up: Callable[[], bool]) -> None:
        self._process, self._wire = started.process, started.wire
        self.output.listen(started.output)
        deadline = StartDeadline(started.process.pid)
        while (first := self._receive_first()) is None:
            if deadline.is_over() or give_up():
                self.end()
                stops = WorkerStops("the worker stops and does not wait for its runner")
                raise stops if give_up() else RunnerDied(str(deadline))
        if isinstance(first, HelloMessage):
            self.hello = first
            if started.after_hello is not None:
                self._process = started.after_hello(first.pid)
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
