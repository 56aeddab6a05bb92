"""The process that has loaded torch, and forks a runner each time that its supervisor asks for one.

To load torch takes seconds of processor time. A fork takes milliseconds, and its memory is shared until it is written.
"""

import gc
import importlib
import os
import select
import socket
import sys
from contextlib import suppress
from pathlib import Path

from workers.protocol.requests import FORK, LOAD, STATUS, STATUS_ANSWER
from workers.runner.process_control import die_with_parent

_STDOUT, _STDERR = 1, 2


class Forks:
    """The forks of this process, one after the other, made as the supervisor asks for them on the socket `requests`.

    This process must have one thread, as a fork gets no other. Code of a stage runs in the forks alone.
    """

    def __init__(self, requests: socket.socket, idle_seconds: float) -> None:
        self._requests, self._idle_seconds = requests, idle_seconds
        self._pid: int | None = None  # of the last fork; kept after its end, so that no other process gets it
        self._watch: int | None = None  # descriptor of the last fork, as long as it lives

    def serve(self) -> int:
        """Answer requests. Return in each fork, with the descriptor of its socket to the supervisor; never here.

        Raises SystemExit here where the supervisor has hung up, where a fork left because it was idle, and where there
        was neither a fork nor a request for `idle_seconds`.
        """
        gc.freeze()  # the collector would write to memory that the forks share
        while True:
            match self._next_request():
                case (request, [wire, output]) if request == FORK:
                    _print_to(output)
                    os.close(output)
                    if self._fork() == 0:
                        self._requests.close()
                        return wire
                    os.close(wire)
                case (request, _) if request == STATUS:
                    self._requests.sendall(STATUS_ANSWER.pack(self._status()))
                case (request, _) if request == LOAD:
                    importlib.import_module("torch._dynamo")
                    gc.freeze()
                case _:
                    sys.exit(0)

    def _next_request(self) -> tuple[bytes, list[int]]:
        while True:
            watched = [self._requests.fileno()] + ([] if self._watch is None else [self._watch])
            ready, _, _ = select.select(watched, [], [], self._idle_seconds if self._watch is None else None)
            if self._requests.fileno() in ready:
                request, descriptors, _, _ = socket.recv_fds(self._requests, 1, 2, socket.MSG_CMSG_CLOEXEC)
                return request, descriptors
            if not ready or self._status() == 0:
                sys.exit(0)
            self._stop_watching()

    def _fork(self) -> int:
        """Fork. Returns 0 in the fork, which ends with this process and leads a process group of its own."""
        self._stop_watching()
        if self._pid is not None:
            os.waitpid(self._pid, os.WNOHANG)  # one that cannot be killed goes on without being watched
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            os.setsid()
            die_with_parent(parent)
            return 0
        self._pid, self._watch = pid, os.pidfd_open(pid)
        with Path(os.devnull).open("wb") as nowhere:  # else a reader of what the runner prints sees no end of it
            _print_to(nowhere.fileno())
        return pid

    def _status(self) -> int:
        """The exit status of the last fork, -n after signal n. Waits for its end; it can be asked again."""
        assert self._pid is not None
        ended = os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOWAIT)
        assert ended is not None
        return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status

    def _stop_watching(self) -> None:
        if self._watch is not None:
            os.close(self._watch)
            self._watch = None


def can_fork() -> bool:
    """Whether runners are forked here. Elsewhere than on Linux a process that has loaded torch must not be forked."""
    with suppress(AttributeError, OSError):  # an old kernel, or a sandbox that imitates one
        os.close(os.pidfd_open(os.getpid()))
        return sys.platform == "linux"
    return False


def _print_to(descriptor: int) -> None:
    os.dup2(descriptor, _STDOUT)
    os.dup2(descriptor, _STDERR)
