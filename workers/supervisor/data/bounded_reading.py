"""Files are read in a thread beside, since a share or a bucket that hangs must not hold a worker up."""

from collections.abc import Callable
from typing import TypeVar

from gradyard.jobs.errors import ContentUnavailable
from gradyard.processes.beside import Beside

R = TypeVar("R")

LONGEST_SECONDS = 120.0  # 64 MiB from a slow bucket, and a CSV of a million rows
LOOK_SECONDS = 0.1


def read_beside(read: Callable[[], R], give_up: Callable[[], str | None], longest: float = LONGEST_SECONDS) -> R:
    """What `read` returns or raises. give_up: why it need not be waited for any more; None while it is needed.

    Raises ContentUnavailable where that says so, and after `longest` seconds. The thread may go on until its process
    ends.
    """
    reading, waited = Beside(read, "read a file"), 0.0
    while not reading.wait(LOOK_SECONDS):
        waited += LOOK_SECONDS
        why = give_up() or (f"its file was not read within {longest:g} s" if waited >= longest else None)
        if why is not None and not reading.has_ended():
            raise ContentUnavailable(why)
    return reading.answer()
