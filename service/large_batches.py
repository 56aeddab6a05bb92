"""One large batch at a time in each process: to read 100,000 jobs takes seconds of the processor and 0.4 GB."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import IO

from gradyard.jobs.errors import SpecInvalid
from gradyard.jobs.submission.batches import ParsedBatch, parse_batch
from service.files.of_caller import files_of_caller
from service.garbage_collector import collector_at_rest
from service.http.errors import BatchUnreadable, LargeBatchesWaiting
from service.http.services import current_services

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


@contextmanager
def batch_in_turn(body: IO[bytes], *, lines: bool = False) -> Iterator[ParsedBatch]:
    """The batch in the body. If it is large, no other one is read or stored until the block ends.

    Raises LargeBatchesWaiting, and what `parse_batch` raises; what is wrong in it is told of the batch, not of a job.
    """
    with collector_at_rest(), _told_of_the_batch(), ExitStack() as held:
        settings, files = current_services().settings, files_of_caller
        alone = partial(held.enter_context, large_batch_alone())
        yield parse_batch(body, settings, files, lines=lines, before_large=alone)


@contextmanager
def _told_of_the_batch() -> Iterator[None]:
    try:
        yield
    except SpecInvalid as error:
        raise BatchUnreadable(error.problems) from None
