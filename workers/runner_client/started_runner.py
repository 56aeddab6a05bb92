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

KILL_SECONDS = 10.0  # to end, after a SIGKILL; a process that hangs in a driver does not


@dataclass(frozen=True)
class Started:
    """A runner that was started; it has not said hello yet, or nobody has listened."""

    process: "subprocess.Popen[bytes]"
    wire: Wire
    said: int  # the read end of its stdout and stderr

    def end(self) -> None:
        """Kill it, and hear no more of it."""
        kill(self.process)
        self.wire.close()
        os.close(self.said)


def start_runner(settings: Settings, *, spare: bool) -> Started:
    """NotStarted where this machine has no process, no memory or no file handle left for it."""
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
            raise NotStarted(f"it cannot be started: {error}") from None
        undo.pop_all()
    return Started(process, Wire(ours), read_end)


def kill(process: "subprocess.Popen[bytes]") -> bool:
    """Kill the process and its group; whether it has ended."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    try:
        process.wait(KILL_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True
