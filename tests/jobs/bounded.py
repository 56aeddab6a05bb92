"""Time and memory that reading a request may take, whatever it holds."""

import ctypes
import gc
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import c_size_t, c_void_p
from pathlib import Path

MEMORY = 320 * 2**20  # more than before, at most
SECONDS = 30.0  # of the processor; the largest request takes 2.4 of a usual one
LARGEST_FREE, SMALLEST_FREE = 2**28, 2**20  # bytes of one piece of memory that is taken before

_libc = ctypes.CDLL(None)
_libc.malloc.argtypes, _libc.malloc.restype = (c_size_t,), c_void_p
_libc.free.argtypes, _libc.free.restype = (c_void_p,), None


@contextmanager
def bounded(memory: int = MEMORY, seconds: float = SECONDS) -> Iterator[None]:
    """Fail with MemoryError where the block takes more memory, and by an assertion where it takes more time.

    Memory that earlier tests gave back to the process is no help to it: without that, the limit depended on what ran
    before. Python's collector rests, as it does while the API reads a batch.
    """
    before, taken = resource.getrlimit(resource.RLIMIT_DATA), list[int]()
    gc.collect()
    has = _data_bytes()
    try:
        resource.setrlimit(resource.RLIMIT_DATA, (has, before[1]))
        _take_free_memory(taken)
        resource.setrlimit(resource.RLIMIT_DATA, (has + memory, before[1]))
        gc.disable()
        began = time.process_time()
        yield
    finally:
        gc.enable()
        resource.setrlimit(resource.RLIMIT_DATA, before)
        for piece in taken:
            _libc.free(piece)
    assert time.process_time() - began < seconds


def _take_free_memory(taken: list[int]) -> None:
    """Take all memory that the process has and does not use, where it can get no more from the system."""
    size = LARGEST_FREE
    while size >= SMALLEST_FREE:
        if piece := _libc.malloc(size):
            taken.append(piece)
        else:
            size //= 2


def _data_bytes() -> int:
    """The memory of this process that RLIMIT_DATA counts."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmData:")[2].split()[0])
