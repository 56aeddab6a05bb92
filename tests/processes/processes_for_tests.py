"""Little commands for the tests of processes, and ways to see whether they still run."""

import ctypes
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

PR_CAPBSET_DROP = 24  # <linux/prctl.h>
READING_OTHERS = (19, 21, 38)  # CAP_SYS_PTRACE, CAP_SYS_ADMIN, CAP_PERFMON of <linux/capability.h>

# Writes its process id into the file named by the first argument, then waits to be ended.
WAITS = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(600)"
# The same, which ignores SIGTERM.
IGNORES_SIGTERM = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + WAITS
# Starts one that ignores it beside itself, in its own process group, and waits for it.
WITH_A_DEAF_CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {IGNORES_SIGTERM!r}, sys.argv[1]])"
# Starts one that waits, says so, and ends at once with status 7.
LEAVES_ONE_BEHIND = (
    f"import os, subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {WAITS!r}, sys.argv[1]])\n"
    "while not (os.path.exists(sys.argv[1]) and os.path.getsize(sys.argv[1])): time.sleep(0.01)\n"
    "sys.exit(7)"
)


def without_reading_others() -> None:
    """For `preexec_fn`: takes from root the rights to read any process, which other users do not have."""
    for right in READING_OTHERS:
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, right, 0, 0, 0)


def python(code: str, *arguments: object) -> list[str]:
    """The command that runs `code` in this interpreter, without site packages (fast to start)."""
    return [sys.executable, "-S", "-c", code, *map(str, arguments)]


def pid_in(file: Path, seconds: float = 120.0) -> int:
    """The process id that a command wrote into `file`, once it has."""
    assert becomes_true(lambda: file.exists() and file.read_text() != "", seconds), f"nothing was written to {file}"
    return int(file.read_text())


def runs(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return not Path("/proc/self").exists()


def becomes_true(question: Callable[[], bool], seconds: float) -> bool:
    """Asks until the answer is yes, for `seconds` at most; the last answer."""
    give_up_at = time.monotonic() + seconds
    while not question():
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.02)
    return True
