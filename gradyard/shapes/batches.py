"""Batches."""

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel

from gradyard.shapes.jobs import Job


class BatchSummary(BaseModel):
    """Jobs that were submitted together."""

    id: str
    name: str | None
    size: int
    submitted_at: AwareDatetime
    state: Literal["queued", "running", "finished"]
    counts: dict[str, int]


class Batch(BatchSummary):
    """A batch, and the sweep that it came from, if it was one and is not too long to be kept."""

    sweep: dict[str, Any] | None


class BatchAccepted(BaseModel):
    """A batch that was stored."""

    id: str
    size: int


class BestJobs(BaseModel):
    """Jobs, the lowest last loss first."""

    jobs: list[Job]


class BatchList(BaseModel):
    """Batches, the newest first."""

    batches: list[BatchSummary]
    next_cursor: str | None
