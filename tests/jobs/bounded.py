"""Time and memory that reading a request may take, whatever it holds."""

import gc
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEMORY = 320 * 2**20  # more than before, at most
SECONDS = 6.0  # of the processor


@contextmanager
def bounded(memory: int = MEMORY, seconds: float = SECONDS) -> Iterator[None]:
    """Fail with MemoryError where the block takes more memory, and by an assertion where it takes more time.

    Python's collector rests, as it does while the API reads a batch.
    """
    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (_data_bytes() + memory, before[1]))
    gc.disable()
    began = time.process_time()
    try:
        yield
    finally:
        gc.enable()
        resource.setrlimit(resource.RLIMIT_DATA, before)
    assert time.process_time() - began < seconds


def _data_bytes() -> int:
    """The memory of this process that RLIMIT_DATA counts."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmData:")[2].split()[0])
