"""Python's cyclic garbage collector, which stops every thread of the process while it looks at every object."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_resting = 0


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """For a request that makes millions of objects and no cycles: with 100,000 jobs in memory one look takes 0.2 s.

    Several requests at once may ask for it; the collector goes on after the last of them.
    """
    global _resting
    with _lock:
        _resting += 1
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            _resting -= 1
            if not _resting:
                gc.enable()
