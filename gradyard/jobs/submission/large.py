"""Which batches, sweeps and retries are large: over one of these figures, one may take 0.1 GB or more, and seconds."""

import orjson

from gradyard.jobs.specs.sweeps import Sweep

LARGE_BYTES = 2**18  # of a body
LARGE_JOBS = 10_000
LARGE_MEMBERS_BYTES = 2**22  # of the specs of all jobs that a short body makes: each takes five times as much memory


def are_large(count: int, spec_bytes: int) -> bool:
    """Whether so many jobs are many, or the bytes of their specs together."""
    return count > LARGE_JOBS or spec_bytes > LARGE_MEMBERS_BYTES


def is_large_sweep(sweep: Sweep) -> bool:
    """Whether the jobs of the sweep are many, or have many bytes together: a short sweep may repeat 10,000 points."""
    each = len(orjson.dumps(sweep.spec))
    each += sum(len(orjson.dumps(axis)) // len(axis) for axis in sweep.grid.values() if isinstance(axis, list))
    return are_large(sweep.size, sweep.size * each)
