"""Waits until processes of a test have done something."""

import time
from collections.abc import Callable, Sequence

from gradyard.processes.children import Child

READY_SECONDS = 300.0  # long enough for a machine that several other test runs keep busy


def until(true: Callable[[], object], children: Sequence[Child] = ()) -> None:
    """Return once the condition is true.

    Fails the test after `READY_SECONDS`, or where one of `children` ends; the message has the last lines of their logs.
    """
    give_up_at = time.monotonic() + READY_SECONDS
    while not true():
        ended = [child.tail(20) for child in children if child.returncode() is not None]
        assert not ended, ended
        assert time.monotonic() < give_up_at, [child.tail(20) for child in children]
        time.sleep(0.1)
