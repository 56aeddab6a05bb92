"""The supervisor's side of the process that forks runners, and of a runner that is a fork."""

import os
import select
import socket
import subprocess
from collections.abc import Callable
from contextlib import suppress

from gradyard.jobs.settings import Settings
from workers.protocol.requests import FORK, LOAD, STATUS, STATUS_ANSWER
from workers.protocol.wire import Wire
from workers.runner_client.errors import RunnerDied
from workers.runner_client.started_runner import ChildProcess, StartedRunner, connections, kill, start_process

ANSWER_SECONDS = 5.0  # for the process that forks to say how a fork ended


class ForkingProcess:
    """The process that has loaded torch and forks runners. It is started with the first of them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: ChildProcess | None = None
        self._requests: socket.socket | None = None
        self.has_optim = False
        """Whether its forks have what torch.optim needs. It takes as long to load as torch itself."""

    @property
    def lives(self) -> bool:
        """Whether a runner can be had without loading torch."""
        return self._process is not None and self._process.lives

    def fork(self, *, optim: bool) -> StartedRunner:
        """Have a runner forked. Until its hello its process is the one that forks: if that is killed, so is the fork.

        optim: with what torch.optim needs. Raises NotStarted where this machine has no process, memory or file handle
        left for it.
        """
        with connections() as ends:
            if not self.lives:
                self.end()
                self._start(ends.runners_output)
            assert self._requests is not None
            assert self._process is not None
            if optim and not self.has_optim:
                self._requests.sendall(LOAD)
                self.has_optim = True
            socket.send_fds(self._requests, [FORK], [ends.runners_wire.fileno(), ends.runners_output])
            return StartedRunner(self._process, Wire(ends.wire), ends.output, self._runner)

    def end(self) -> None:
        """Kill it, and with it its fork."""
        if self._process is not None:
            kill(self._process)
        if self._requests is not None:
            self._requests.close()
        self._process, self._requests, self.has_optim = None, None, False

    def _start(self, output: int) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = start_process(self._settings, "--requests", theirs, output)
            except OSError:
                ours.close()
                raise
        ours.settimeout(ANSWER_SECONDS)
        self._requests = ours

    def _runner(self, pid: int) -> "ForkedRunner":
        return ForkedRunner(pid, self._status)

    def _status(self) -> int:
        """How the last fork, which has ended, did so. Where this process has ended too, how it did.

        Raises subprocess.TimeoutExpired where it does not answer, now or when it was asked before.
        """
        unknown = subprocess.TimeoutExpired("gradyard-forks", ANSWER_SECONDS)
        if self._process is None or self._requests is None:
            raise unknown
        try:
            self._requests.sendall(STATUS)
            answer = self._requests.recv(STATUS_ANSWER.size, socket.MSG_WAITALL)
        except TimeoutError:  # an answer that comes late would be taken for that to a later question
            self.end()
            raise unknown from None
        except OSError:
            answer = b""
        return int(STATUS_ANSWER.unpack(answer)[0]) if answer else self._process.wait(ANSWER_SECONDS)


class ForkedRunner:
    """A runner that another process forked. `status` asks that one how its last fork, which has ended, did so."""

    def __init__(self, pid: int, status: Callable[[], int]) -> None:
        try:
            self._watch = os.pidfd_open(pid)
        except OSError as error:
            raise RunnerDied(f"the runner ended at its start: {error}") from None
        self.pid = pid
        self._ask = status
        self._status: int | None = None

    @property
    def lives(self) -> bool:
        """Whether it has not ended."""
        return not self._has_ended(0.0)

    def wait(self, timeout: float) -> int:
        """Its exit status, -n after signal n. Raises subprocess.TimeoutExpired where it lives after that time."""
        if not self._has_ended(timeout):
            raise subprocess.TimeoutExpired("gradyard-runner", timeout)
        if self._status is None:
            self._status = self._ask()
        return self._status

    def _has_ended(self, seconds: float) -> bool:
        return bool(select.select([self._watch], [], [], seconds)[0])

    def __del__(self) -> None:
        with suppress(AttributeError, OSError):  # it was never opened
            os.close(self._watch)
