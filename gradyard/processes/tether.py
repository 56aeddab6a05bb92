"""Runs one command that ends when its parent ends, whatever ended the parent.

    python -I gradyard/processes/tether.py FD [--grace SECONDS] -- command [argument ...]

FD is the read end of a pipe; the parent alone holds the write end.

- End of file: the parent has ended. The command gets SIGTERM and, after the grace, its whole process group SIGKILL.
- The byte `KILL`: the parent wants the process group killed now.

SIGTERM and SIGINT are forwarded to the command. The exit status is that of the command, 128 + n when signal n ended it,
127 when it could not be started. When the command has ended, the rest of its process group is killed.
"""

import argparse
import contextlib
import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable

KILL = b"k"
FORWARDED = (signal.SIGTERM, signal.SIGINT)
PR_SET_PDEATHSIG, PR_SET_DUMPABLE = 1, 4  # <linux/prctl.h>


class Tether:
    """One command, the pipe to its parent, and the loop that watches both."""

    def __init__(self, lifeline: int, command: list[str], grace_seconds: float) -> None:
        self._lifeline = lifeline
        self._grace_seconds = grace_seconds
        self._kill_at: float | None = None
        self._signals = _signals_as_bytes()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._signals, selectors.EVENT_READ, self._forward_signals)
        self._selector.register(lifeline, selectors.EVENT_READ, self._read_lifeline)
        # preexec_fn is safe here: this process has one thread
        self._command = subprocess.Popen(command, start_new_session=True, preexec_fn=_die_with_the_tether())

    def run(self) -> int:
        """Waits until the command has ended; returns its status, 128 + n for signal n, as a shell does."""
        while not self._has_ended():
            self._wait_for_event()
        self._signal_group(signal.SIGKILL)  # before the leader is reaped: until then its group's number is ours
        status = self._command.wait()
        return status if status >= 0 else 128 - status

    def _wait_for_event(self) -> None:
        seconds = None if self._kill_at is None else max(0.0, self._kill_at - time.monotonic())
        for key, _ in self._selector.select(seconds):
            key.data()
        if self._kill_at is not None and time.monotonic() >= self._kill_at:
            self._signal_group(signal.SIGKILL)
            self._kill_at = None

    def _forward_signals(self) -> None:
        for number in os.read(self._signals, 512):
            if number in FORWARDED:
                self._signal_command(number)

    def _read_lifeline(self) -> None:
        byte = os.read(self._lifeline, 1)
        if byte == KILL:
            self._signal_group(signal.SIGKILL)
        elif not byte:
            self._selector.unregister(self._lifeline)
            self._signal_command(signal.SIGTERM)
            self._kill_at = time.monotonic() + self._grace_seconds

    def _has_ended(self) -> bool:
        if not hasattr(os, "waitid"):  # macOS before Python 3.13: `poll` reaps the command before its group is killed
            return self._command.poll() is not None
        return os.waitid(os.P_PID, self._command.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _signal_command(self, number: int) -> None:
        # Popen.send_signal would reap a command that has just ended, and `_has_ended` would find no child
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._command.pid, number)

    def _signal_group(self, number: int) -> None:
        with contextlib.suppress(
            ProcessLookupError, PermissionError
        ):  # macOS raises PermissionError for a group of zombies
            os.killpg(self._command.pid, number)


def _signals_as_bytes() -> int:
    """The read end of a pipe that receives each signal as one byte, its number, so that one select waits for all."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    for number in (*FORWARDED, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    return read_end


def _die_with_the_tether() -> Callable[[], None] | None:
    """Runs in the command between fork and exec: on Linux the kernel then kills the command with the tether."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)  # loaded before the fork: the child must not wait for the loader's lock
    tether = os.getpid()

    def ask() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != tether:  # the tether was killed before the call
            os._exit(1)

    return ask


def main(arguments: list[str]) -> int:
    """Parses the command line above and runs the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="tether", description="Runs a command that ends with its parent.")
    parser.add_argument("lifeline", metavar="FD", type=int, help="read end of a pipe that the parent holds open")
    parser.add_argument("--grace", metavar="SECONDS", type=float, default=5.0, help="between SIGTERM and SIGKILL")
    parser.add_argument("command", nargs="+", help="after --: the command and its arguments")
    options = parser.parse_args(arguments)
    if sys.platform.startswith("linux"):  # as in private_memory.py: the command's secrets are in this environment too
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    try:
        return Tether(options.lifeline, options.command, options.grace).run()
    except OSError as error:
        print(f"tether: cannot start {options.command[0]}: {error.strerror}", file=sys.stderr)
        return 127


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
