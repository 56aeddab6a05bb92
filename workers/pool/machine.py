"""Tells this machine from others of the same host name, and a process that lives from one that is dead."""

import hashlib
import os
import time
import uuid
from contextlib import suppress
from functools import cache
from pathlib import Path

import psutil

BOOT_ID, PID_NAMESPACE = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
CLOCK_SECONDS = 5.0  # by which the clocks of database and host may differ


@cache
def machine_identity() -> str:
    """Equal in processes to which a PID means the same: one boot of one kernel, one PID namespace. 16 hex digits.

    Virtual machines that were copied differ, and so do containers, also those that have the host's name and network.
    Where the system tells neither (macOS), it is the network card's address.
    """
    parts = [str(uuid.getnode())]
    with suppress(OSError):
        parts = [BOOT_ID.read_text().strip(), str(PID_NAMESPACE.readlink())]
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:16]


def lives(pid: int, age_seconds: float) -> bool:
    """Whether the process that had this PID so long ago lives, and the PID is not another process's by now.

    A zombie and this process itself do not count.
    """
    try:
        process = psutil.Process(pid)
        old_enough = time.time() - process.create_time() > age_seconds - CLOCK_SECONDS
        return pid != os.getpid() and old_enough and process.status() != psutil.STATUS_ZOMBIE
    except psutil.AccessDenied:
        return True
    except psutil.NoSuchProcess:
        return False
