"""Celery's main process as a fork of one that has loaded everything, so that a killed one is back at once.

What a worker loads takes two seconds, four on a busy host. The process that has loaded it stays behind, opens nothing
and waits. Where a signal kills its fork it forks another one, which begins where the first did.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from gradyard.processes.private_memory import keep_memory_private
from workers.runner.process_control import die_with_parent

STEADY_SECONDS = 5.0
"""One that is killed sooner may be killed for ever: its status goes to the pool, which waits longer each time."""

_FORWARDED = signal.SIGTERM, signal.SIGINT


def stay_behind() -> None:
    """Return in a fork of this process, and in another fork each time that a signal kills it. Never returns here.

    SIGTERM and SIGINT are sent on to the fork. This process ends with it where one of these came, where the fork ended
    by itself, and where it lived for less than `STEADY_SECONDS`: raises SystemExit with its status, 128 + n after
    signal n.
    """
    keep_memory_private()  # the settings are read, and name passwords
    forks = Forks()
    while True:
        began = time.monotonic()
        if forks.begin() == 0:
            return
        status = forks.wait()
        if status >= 0 or forks.told_to_stop or time.monotonic() - began < STEADY_SECONDS:
            sys.exit(status if status >= 0 else 128 - status)
        print(f"Celery's main process was killed by signal {-status}; another one begins", flush=True)


class Forks:
    """The forks of this process, one at a time. Its SIGTERM and SIGINT are sent on to the one that lives."""

    def __init__(self) -> None:
        self.told_to_stop = False
        self._pid: int | None = None
        self._earlier = {number: signal.signal(number, self._send_on) for number in _FORWARDED}

    def begin(self) -> int:
        """Fork. Returns 0 in the fork, which ends with this process and has its earlier handlers; here the fork's pid.

        A stop that came before, while there was none, reaches this one.
        """
        parent = os.getpid()
        with _signals_held():
            pid = os.fork()
            if pid == 0:
                for number, handler in self._earlier.items():
                    signal.signal(number, handler)
                die_with_parent(parent)
                return 0
            self._pid = pid
        if self.told_to_stop:
            self._send_on(signal.SIGTERM)
        return pid

    def wait(self) -> int:
        """Wait until the fork has ended; return its status, -n after signal n."""
        assert self._pid is not None
        _, status = os.waitpid(self._pid, 0)
        return os.waitstatus_to_exitcode(status)

    def _send_on(self, number: int, _: FrameType | None = None) -> None:
        self.told_to_stop = True
        if self._pid is not None:  # 0 would be this whole group
            with suppress(ProcessLookupError):
                os.kill(self._pid, number)


@contextmanager
def _signals_held() -> Iterator[None]:
    """What comes meanwhile is delivered afterwards, in a fork to its own handlers."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _FORWARDED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
