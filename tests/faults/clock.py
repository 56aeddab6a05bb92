"""A wrong wall clock for the processes of one host: a shim around the C library's clock, built with the local cc."""

import atexit
import shutil
import subprocess
import tempfile
from pathlib import Path

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
#include <sys/time.h>
static const long off = OFFSET;
int clock_gettime(clockid_t id, struct timespec *t) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int r = real(id, t);
    if (!r && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) t->tv_sec += off;
    return r;
}
int gettimeofday(struct timeval *t, void *z) {
    struct timespec s;
    clock_gettime(CLOCK_REALTIME, &s);
    t->tv_sec = s.tv_sec; t->tv_usec = s.tv_nsec / 1000;
    return 0;
}
time_t time(time_t *t) {
    struct timespec s;
    clock_gettime(CLOCK_REALTIME, &s);
    if (t) *t = s.tv_sec;
    return s.tv_sec;
}
"""


def shim(seconds_off: int) -> dict[str, str]:
    """The environment variables that move a process's wall clock forward by that many seconds."""
    folder = Path(tempfile.mkdtemp(prefix="gyclock-", dir="/tmp"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    source, library = folder / "clock.c", folder / "clock.so"
    source.write_text(SOURCE)
    compiler = shutil.which("cc") or shutil.which("gcc") or "cc"
    define = f"-DOFFSET={seconds_off}"
    subprocess.run([compiler, "-shared", "-fPIC", define, "-o", str(library), str(source), "-ldl"], check=True)
    return {"LD_PRELOAD": str(library)}


def why_not() -> str | None:
    """Why the shim cannot be built here; None where it can."""
    return None if shutil.which("cc") or shutil.which("gcc") else "there is no C compiler to build the clock shim"
