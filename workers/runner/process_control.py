"""What a process tells the kernel of itself: that it must not outlive its parent, and its name."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15


def die_with_parent(expected_parent: int | None = None) -> None:
    """Be killed as soon as the thread that made this process ends (Linux; elsewhere the closing pipe tells).

    `expected_parent` is the pid that the parent had at the fork: if it is gone already, leave at once.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if expected_parent is not None and os.getppid() != expected_parent:
        os._exit(1)


def call_this_process(name: str) -> None:
    """The name (15 bytes at most) that `top` and `ps -o comm` show; nothing where the kernel is not Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)
