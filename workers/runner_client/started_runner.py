"""The process of a runner: started, and killed."""

import os
import signal
import socket
import subprocess
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from gradyard.jobs.settings import Settings
from workers.protocol.wire import Wire
from workers.runner_client.errors import NotStarted
from workers.runner_client.runner_command import runner_command, runner_environment

KILL_SECONDS = 10.0  # for a process to end after SIGKILL; one that hangs in a driver does not


@dataclass(frozen=True)
class StartedRunner:
    """A runner that was started, and whose hello was not received yet."""

    process: "subprocess.Popen[bytes]"
    wire: Wire
    output: int
    """The read end of its stdout and stderr."""

    def end(self) -> None:
        """Kill the process and close what connects it to this one."""
        kill(self.process)
        self.wire.close()
        os.close(self.output)


def start_runner(settings: Settings, *, spare: bool) -> StartedRunner:
    """Start a runner. Raises NotStarted where this machine has no process, memory or file handle left for it."""
    with ExitStack() as undo:
        try:
            ours, theirs = socket.socketpair()
            undo.callback(ours.close)
            with theirs:
                read_end, write_end = os.pipe()
                undo.callback(os.close, read_end)
                with os.fdopen(write_end, "wb"):
                    process = subprocess.Popen(
                        runner_command(settings, theirs.fileno(), spare=spare),
                        env=runner_environment(settings), pass_fds=[theirs.fileno()],
                        stdin=subprocess.DEVNULL, stdout=write_end, stderr=write_end, start_new_session=True,
                    )  # fmt: skip
        except OSError as error:
            raise NotStarted(f"the runner cannot be started: {error}") from None
        undo.pop_all()
    return StartedRunner(process, Wire(ours), read_end)


def kill(process: "subprocess.Popen[bytes]") -> bool:
    """Kill the process and its group. Return whether it ended within `KILL_SECONDS`."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    try:
        process.wait(KILL_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True
