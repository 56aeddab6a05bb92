"""Celery's main process as a fork of one that has loaded everything, so that a killed one is back at once.

To load what a worker consists of takes two seconds, four on a busy host. The process that has loaded it stays behind,
opens nothing and waits. Where a signal kills its fork, it forks another one, which begins where the first did.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from gradyard.processes.private_memory import keep_memory_private
from workers.pool.keep_up import STEADY_SECONDS
from workers.runner.process_control import die_with_parent

MOST_YOUNG = 2  # in a row that a signal may kill before they are steady: more are killed for ever
_STOPS = signal.SIGTERM, signal.SIGINT, signal.SIGQUIT
_SENT_ON = *_STOPS, signal.SIGHUP, signal.SIGUSR1


def stay_behind() -> None:
    """On Linux, return in a fork of this process, and in another fork each time that a signal kills it; never here.

    Signals that Celery handles are sent on to the fork. This process ends with it where it was told to stop, where the
    fork ended by itself, and where signals killed more than `MOST_YOUNG` in a row before they were steady: the pool
    then waits and starts all anew. Raises SystemExit with the fork's status, 128 + n after signal n.

    Elsewhere it returns at once: no kernel there ends a fork's child with it, but a tether ends the group of the one
    process that it started.
    """
    if sys.platform != "linux":
        return
    keep_memory_private()  # the settings are read, and name passwords
    forks, young = Forks(), 0
    while True:
        began = time.monotonic()
        if forks.begin() == 0:
            return
        status = forks.wait()
        young = young + 1 if time.monotonic() - began < STEADY_SECONDS else 0
        if status >= 0 or forks.told_to_stop or young > MOST_YOUNG:
            sys.exit(status if status >= 0 else 128 - status)
        print(f"Celery's main process was killed by signal {-status}; another one begins", flush=True)


class Forks:
    """The forks of this process, one at a time. Signals that it gets are sent on to the one that lives."""

    def __init__(self) -> None:
        self.told_to_stop = False
        self._pid: int | None = None
        self._earlier = {number: signal.signal(number, self._send_on) for number in _SENT_ON}

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
        self._pid = None
        return os.waitstatus_to_exitcode(status)

    def _send_on(self, number: int, _: FrameType | None = None) -> None:
        self.told_to_stop = self.told_to_stop or number in _STOPS
        if self._pid is not None:  # 0 would be this whole group
            with suppress(ProcessLookupError):
                os.kill(self._pid, number)


@contextmanager
def _signals_held() -> Iterator[None]:
    """What comes meanwhile is delivered afterwards, in a fork to its own handlers."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SENT_ON)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
