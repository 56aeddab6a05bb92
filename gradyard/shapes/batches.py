"""Batches: jobs that were submitted together."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import AwareDatetime

from gradyard.shapes.base import Answer
from gradyard.shapes.jobs import Job


class BatchSummary(Answer):
    """A batch in a list: how many of its jobs are in each state."""

    id: str
    name: str | None = None
    size: int = 0
    submitted_at: AwareDatetime | None = None
    state: Literal["queued", "running", "finished"]
    counts: Mapping[str, int] = {}

    @property
    def finished(self) -> bool:
        """Whether none of its jobs waits or runs."""
        return self.state == "finished"


class Batch(BatchSummary):
    """A batch, with the sweep that it came from; null where it was no sweep, or a very long one."""

    sweep: Mapping[str, Any] | None = None


class BatchAccepted(Answer):
    """A batch that was stored."""

    id: str
    size: int


class BestJobs(Answer):
    """Jobs, the lowest last loss first."""

    jobs: tuple[Job, ...]


class BatchList(Answer):
    """Batches, the newest first. `next_cursor` asks for the next page; null on the last one."""

    batches: tuple[BatchSummary, ...]
    next_cursor: str | None
