"""UUIDs of version 7 (RFC 9562): the time, then random bits, so that newer ids sort later."""

import os
import re
import threading
import time
from uuid import UUID

SHORTEST_BEGINNING = 8  # hexadecimal digits: ids that were made within 65 seconds may have them in common

_lock = threading.Lock()
_last = 0
_ahead_of_steady_ns: int | None = None  # the shared clock, of this host's steady one


def follow(shared_seconds: float) -> None:
    """Let ids tell the time of a clock that hosts share and that shows so many seconds since 1970 at this moment.

    Without it ids tell the time of this host, and those of two hosts sort by age only as far as their clocks agree.
    """
    global _ahead_of_steady_ns
    _ahead_of_steady_ns = int(shared_seconds * 1e9) - _steady_ns()


def _steady_ns() -> int:
    """A clock that is never set, and that goes on while the machine sleeps."""
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _now_ns() -> int:
    return time.time_ns() if _ahead_of_steady_ns is None else _ahead_of_steady_ns + _steady_ns()


def ids_beginning_with(text: str) -> tuple[UUID, UUID] | None:
    """The lowest and the highest id that begin like the text, in any case and with or without dashes.

    Equal for a full id; None where the text is no beginning of at least SHORTEST_BEGINNING digits.
    """
    digits = text.replace("-", "").lower()
    if not re.fullmatch(rf"[0-9a-f]{{{SHORTEST_BEGINNING},32}}", digits):
        return None
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))


def submitted_at_of(made: UUID) -> float:
    """The time in an id that `new_id` made, in seconds since 1970."""
    return (made.int >> 80) / 1000


def new_id() -> UUID:
    """A new id, greater than every earlier one of this process."""
    return new_ids(1)[0]


def new_ids(count: int) -> list[UUID]:
    """So many new ids, each greater than the one before it and than every earlier one of this process."""
    global _last
    with _lock:
        # 48 bits of milliseconds and 12 of the millisecond's fraction (RFC 9562, method 3), then 62 random bits.
        first = max(_last + 1, _now_ns() * 4096 // 1_000_000)
        _last = first + count - 1
    drawn = memoryview(os.urandom(8 * count)).cast("Q")
    return [
        UUID(int=((ticks >> 12) << 16 | 0x7000 | ticks & 0xFFF) << 64 | 0x8000_0000_0000_0000 | bits >> 2)
        for ticks, bits in zip(range(first, first + count), drawn, strict=True)
    ]
