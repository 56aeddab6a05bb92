"""Where arrays lie, and how the C library keeps the memory of temporaries: both decide the speed of a pack."""

from __future__ import annotations

import ctypes
from functools import cache

import numpy as np

from workers.trainers.contract import Array

# Of glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3

LARGEST_KEPT_BLOCK = 32 * 2**20  # glibc takes no more
LARGEST_KEPT_HEAP = 512 * 2**20  # a pack's step has some thirty arrays of a few MiB at once


@cache
def keep_freed_memory() -> None:
    """Let glibc hand a pack's temporaries out again instead of asking the kernel for clean pages at every operation.

    By itself it maps large blocks anew each time, and gives the end of its heap back as soon as that is 128 KiB, or
    twice the largest block freed so far: a pack's step then meets hundreds of page faults, and takes up to twice as
    long, in numpy and torch alike. Other C libraries have no such setting, and are left alone.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(M_MMAP_THRESHOLD, LARGEST_KEPT_BLOCK)
        set_option(M_TRIM_THRESHOLD, LARGEST_KEPT_HEAP)


CACHE_LINE = 64  # bytes


def cache_aligned(array: Array) -> Array:
    """The array, copied to where a cache line begins.

    numpy begins anywhere; with vectors as long as a line every access then touches two, and takes up to twice as long.
    """
    workspace = np.empty(array.nbytes + CACHE_LINE, np.uint8)
    begin = -workspace.ctypes.data % CACHE_LINE
    copy: Array = workspace[begin : begin + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy
