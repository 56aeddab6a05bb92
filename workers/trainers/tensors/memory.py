"""Aligned arrays, and how the C library reuses the memory of temporaries: both decide the speed of a pack."""

from __future__ import annotations

import ctypes
from functools import cache

import numpy as np

from workers.trainers.contract import Array

# Of glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3

LARGEST_REUSED_BLOCK = 32 * 2**20  # glibc takes no more
LARGEST_REUSED_HEAP = 512 * 2**20  # a pack's step has some thirty arrays of a few MiB at once


@cache
def keep_freed_memory() -> None:
    """Let glibc reuse the memory of a pack's temporaries, instead of asking the kernel for clean pages.

    By default glibc maps large blocks anew each time. It returns the end of its heap as soon as that exceeds 128 KiB,
    or twice the largest block freed so far. A pack's step then has hundreds of page faults and takes up to twice as
    long, in numpy and torch alike. Other C libraries have no such setting, and nothing is changed there.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(M_MMAP_THRESHOLD, LARGEST_REUSED_BLOCK)
        set_option(M_TRIM_THRESHOLD, LARGEST_REUSED_HEAP)


CACHE_LINE = 64  # bytes


def cache_aligned(array: Array) -> Array:
    """A copy of the array that begins at a cache line.

    numpy's arrays begin anywhere. With vectors as long as a line every access then touches two lines, and takes up to
    twice as long.
    """
    buffer = np.empty(array.nbytes + CACHE_LINE, np.uint8)
    begin = -buffer.ctypes.data % CACHE_LINE
    copy: Array = buffer[begin : begin + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy
