"""One large batch at a time in each process: to read 100,000 jobs takes seconds of the processor and 0.4 GB."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from service.http.errors import LargeBatchesWaiting

WAIT_SECONDS = 10.0
MOST_WAITING = 4  # each holds a thread of the API meanwhile

_one = threading.Lock()
_places = threading.BoundedSemaphore(1 + MOST_WAITING)


@contextmanager
def large_batch_alone() -> Iterator[None]:
    """Wait until no other large batch is read or stored. LargeBatchesWaiting where that takes long, or others wait."""
    refusal = LargeBatchesWaiting("the service reads large batches one by one, and others come first; send it again")
    if not _places.acquire(blocking=False):
        raise refusal
    try:
        if not _one.acquire(timeout=WAIT_SECONDS):
            raise refusal
        try:
            yield
        finally:
            _one.release()
    finally:
        _places.release()
