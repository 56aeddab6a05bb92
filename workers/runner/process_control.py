"""Asks the kernel to end this process with its parent, and to show it under a name."""

import ctypes
import os
import signal
import sys
from functools import cache

_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15


def die_with_parent(expected_parent: int | None = None) -> None:
    """Have the kernel kill this process when the thread that made it ends. On Linux alone; elsewhere a socket closes.

    `expected_parent` is the parent's pid at the fork. Where that process has ended already, exit with status 1.
    """
    if sys.platform == "linux":
        _c_library().prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if expected_parent is not None and os.getppid() != expected_parent:
        os._exit(1)


def call_this_process(name: str) -> None:
    """Set the name that `top` and `ps -o comm` show, of 15 bytes at most. Does nothing on other systems than Linux."""
    if sys.platform == "linux":
        _c_library().prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)


@cache  # to open it takes longer than what is asked of it
def _c_library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
