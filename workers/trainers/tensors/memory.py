"""Aligned arrays, blocks of a pack that stay in a core's cache, and how the C library reuses freed memory."""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path

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


LEAST_BUFFER = 16
"""The smallest `numpy.setbufsize`, in elements. It changes no bit, and lets a column meet whole rows.

By default (8,192) numpy copies several short rows, and the repeated column, into a buffer before it multiplies or adds
them, and such an operation takes two to three times as long. It lasts until the end of `numpy.errstate`.
"""

SMALL_CACHE, LARGE_CACHE = 2**19, 2**20  # with larger blocks nothing was faster, and OpenBLAS was slower
OWN_CACHE = Path("/sys/devices/system/cpu/cpu0/cache/index2/size")  # "512K"


@cache
def own_cache_bytes() -> int:
    """The second-level cache of a core, 512 KiB to 1 MiB; 512 KiB where the system does not say."""
    try:
        size = int(OWN_CACHE.read_text().strip().removesuffix("K")) * 1024
    except (OSError, ValueError):
        return SMALL_CACHE
    return min(max(size, SMALL_CACHE), LARGE_CACHE)


def blocks_in_cache(width: int, member_bytes: int) -> list[slice]:
    """A pack's members in blocks whose own arrays fill half of a core's cache: what they share needs room, too."""
    height = max(1, own_cache_bytes() // 2 // member_bytes)
    return [slice(first, min(first + height, width)) for first in range(0, width, height)]
