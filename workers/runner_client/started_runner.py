"""The process of a runner: started, and killed."""

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Literal, Protocol

from gradyard.jobs.settings import Settings
from workers.protocol.wire import Wire
from workers.runner_client.errors import NotStarted
from workers.runner_client.runner_command import runner_command, runner_environment

KILL_SECONDS = 10.0  # for a process to end after SIGKILL; one that hangs in a driver does not


class RunningProcess(Protocol):
    """A process that leads its process group: a child of this one, or a fork of one."""

    @property
    def pid(self) -> int:
        """Its pid, which no other process gets before its end was waited for."""

    @property
    def lives(self) -> bool:
        """Whether it has not ended. Any thread may ask."""

    def wait(self, timeout: float) -> int:
        """Wait for its end; return its exit status, -n after signal n.

        Raises subprocess.TimeoutExpired where it lives after `timeout` seconds, or where its status cannot be had.
        """


class ChildProcess(subprocess.Popen[bytes]):
    """A child of this process."""

    @property
    def lives(self) -> bool:
        """Whether it has not ended."""
        return self.poll() is None


@dataclass(frozen=True)
class StartedRunner:
    """A runner that was started, and whose hello was not received yet."""

    process: ChildProcess
    wire: Wire
    output: int
    """The read end of its stdout and stderr."""
    after_hello: Callable[[int], RunningProcess] | None = None
    """Where the runner is a fork of `process`: makes of the pid that it tells what is known of it from then on."""


@dataclass(frozen=True)
class Connections:
    """What connects a runner that is to be started with this process."""

    wire: socket.socket
    output: int
    """The read end of what it prints."""
    runners_wire: socket.socket
    runners_output: int


@contextmanager
def connections() -> Iterator[Connections]:
    """Make what connects a runner. Afterwards the runner's ends are closed here; ours too where an exception came.

    Raises NotStarted where this machine has no process, memory or file handle left for a runner.
    """
    with ExitStack() as undo:
        try:
            ours, theirs = socket.socketpair()
            undo.callback(ours.close)
            with theirs:
                read_end, write_end = os.pipe()
                undo.callback(os.close, read_end)
                with os.fdopen(write_end, "wb"):
                    yield Connections(ours, read_end, theirs, write_end)
        except OSError as error:
            raise NotStarted(f"the runner cannot be started: {error}") from None
        undo.pop_all()


def start_runner(settings: Settings) -> StartedRunner:
    """Start a runner. Raises NotStarted where this machine has no process, memory or file handle left for it."""
    with connections() as ends:
        process = start_process(settings, "--wire", ends.runners_wire, ends.runners_output)
        return StartedRunner(process, Wire(ends.wire), ends.output)


def start_process(
    settings: Settings, talks: Literal["--wire", "--requests"], end: socket.socket, output: int
) -> ChildProcess:
    """Start a runner, or the process that forks runners. Raises OSError where this machine has no room for it."""
    return ChildProcess(
        runner_command(settings, talks, end.fileno()), env=runner_environment(settings), pass_fds=[end.fileno()],
        stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
    )  # fmt: skip


def kill(process: RunningProcess) -> bool:
    """Kill the process and its group. Return whether it ended within `KILL_SECONDS`."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    try:
        process.wait(KILL_SECONDS)
    except subprocess.TimeoutExpired:
        return not process.lives
    return True
