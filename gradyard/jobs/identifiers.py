"""UUIDs of version 7 (RFC 9562): the time, then random bits, so that newer ids sort later."""

import os
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0


def new_id() -> UUID:
    """A new id, greater than every earlier one of this process."""
    global _last
    with _lock:
        # 48 bits of milliseconds and 12 of the millisecond's fraction (RFC 9562, method 3), then 62 random bits.
        ticks = max(_last + 1, time.time_ns() * 4096 // 1_000_000)
        _last = ticks
    high = (ticks >> 12) << 16 | 0x7000 | ticks & 0xFFF
    low = 0x8000_0000_0000_0000 | int.from_bytes(os.urandom(8), "big") >> 2
    return UUID(int=high << 64 | low)
