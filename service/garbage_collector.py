"""Pauses of Python's cyclic garbage collector, which stops every thread while it visits every object."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_paused = 0


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Pause the collector while a request creates millions of objects without cycles.

    With 100,000 jobs in memory one collection takes 0.2 s. Requests may overlap; the collector resumes after the last.
    """
    global _paused
    with _lock:
        _paused += 1
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            _paused -= 1
            if not _paused:
                gc.enable()
