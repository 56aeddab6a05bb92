"""Keeps the environment and the memory of a process from other processes of the same user."""

import ctypes
import sys

PR_SET_DUMPABLE = 4  # <linux/prctl.h>


def keep_memory_private() -> None:
    """From now on, and in forks, only root reads the environment, the memory and the open files of this process.

    On Linux alone. A program that it starts by exec begins readable again, and has to call this for itself. The process
    leaves no core dump, and a debugger needs root.
    """
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
