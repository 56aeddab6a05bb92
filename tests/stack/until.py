"""Waiting for what processes of a test will do."""

import time
from collections.abc import Callable, Sequence

from gradyard.processes.children import Child

READY_SECONDS = 300.0  # green under a load of several busy neighbours as well


def until(true: Callable[[], object], children: Sequence[Child] = ()) -> None:
    """Return once it is true; a failure with their last words where it takes minutes, or one of these ends."""
    give_up_at = time.monotonic() + READY_SECONDS
    while not true():
        ended = [child.tail(20) for child in children if child.returncode() is not None]
        assert not ended, ended
        assert time.monotonic() < give_up_at, [child.tail(20) for child in children]
        time.sleep(0.1)
