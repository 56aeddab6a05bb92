"""A host whose wall clock steps and whose disk stalls: a shim around the C library, built with the local cc."""

import atexit
import mmap
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static long still[2], *told = still;  /* seconds that the clock is off; microseconds that the next fsync takes longer */
__attribute__((constructor)) static void listen(void) {
    int file = open(getenv("GYHOST_FILE"), O_RDWR);
    void *shared = file < 0 ? MAP_FAILED : mmap(0, sizeof still, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (file >= 0) close(file);
    if (shared != MAP_FAILED) told = shared;
}
int clock_gettime(clockid_t id, struct timespec *t) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int r = real(id, t);
    if (!r && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) t->tv_sec += *(volatile long *)told;
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
static void stall(void) {
    long left = __atomic_exchange_n(told + 1, 0, __ATOMIC_SEQ_CST);
    if (left > 0) usleep(left);
}
int fsync(int file) {
    int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
    stall();
    return real(file);
}
int fdatasync(int file) {
    int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync");
    stall();
    return real(file);
}
"""


class UnsteadyHost:
    """The clock and the disk of one host, as its processes see them: those that have its `environment`."""

    def __init__(self, seconds_off: int = 0) -> None:
        """Build the shim. The clock begins with being off by so many seconds."""
        folder = Path(tempfile.mkdtemp(prefix="gyhost-", dir="/tmp"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        source, library, file = folder / "host.c", folder / "host.so", folder / "told"
        source.write_text(SOURCE)
        file.write_bytes(bytes(16))
        compiler = shutil.which("cc") or shutil.which("gcc") or "cc"
        subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
        with file.open("r+b") as opened:
            self._told = mmap.mmap(opened.fileno(), 16)
        self.environment = {"LD_PRELOAD": str(library), "GYHOST_FILE": str(file)}
        self.set_clock(seconds_off)

    def set_clock(self, seconds_off: int) -> None:
        """Let the wall clock be off by so many seconds from now on."""
        self.seconds_off = seconds_off
        struct.pack_into("q", self._told, 0, seconds_off)

    def stall_disk(self, seconds: float) -> None:
        """Let the next write that a process waits for take that much longer."""
        struct.pack_into("q", self._told, 8, int(seconds * 1e6))


def why_not() -> str | None:
    """Why the shim cannot be built here; None where it can."""
    return None if shutil.which("cc") or shutil.which("gcc") else "there is no C compiler to build the clock shim"
