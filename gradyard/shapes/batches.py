"""Batches: jobs that were submitted together."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import AwareDatetime, Field, with_config
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from gradyard.shapes.base import EXTRA_FIELDS_ARE_KEPT, Answer, Traceable
from gradyard.shapes.jobs import Job


@with_config(EXTRA_FIELDS_ARE_KEPT)
class Failures(TypedDict):
    """The failed jobs of a batch that have one reason: how many, the id of one of them, and what that one says."""

    reason: str
    count: int
    job: str
    message: str | None


class BatchSummary(Traceable):
    """A batch in a list: how many of its jobs are in each state. A job that was replaced is not counted."""

    id: str
    name: str | None = None
    size: int = 0
    submitted_at: AwareDatetime | None = None
    submitted_by: str | None = None
    state: Literal["queued", "running", "finished"]
    counts: Mapping[str, int] = {}

    @property
    def finished(self) -> bool:
        """Whether none of its jobs waits or runs."""
        return self.state == "finished"


class Batch(BatchSummary):
    """A batch, with the sweep that it came from (null where it was no sweep, or a very long one) and its failures.

    `failures` has an entry for each reason, the most frequent first. A job that was replaced is not counted.
    """

    sweep: Mapping[str, Any] | None = None
    failures: tuple[Failures, ...] = ()


class BatchAccepted(Answer):
    """A batch that was stored."""

    id: str
    size: int


class BatchRetried(Answer):
    """Jobs of a batch that were submitted anew: how many, of how many in the batch (`size`)."""

    id: str
    retried: int
    size: int


class BatchDeleted(Answer):
    """A batch that was deleted, and how many jobs with it."""

    id: str
    deleted: int


class BestJobs(Answer):
    """Jobs, the best first: by which figure (`loss_last`, `metrics.accuracy.last`), and its value in each of them."""

    jobs: tuple[Job, ...]
    metric: str = Field(default="loss_last", description="the figure by which they are ordered")
    mode: str = Field(default="min", description="min or max: whether the smallest or the largest is best")
    values: tuple[float, ...] = Field(default=(), description="of that figure, one for each job")


class BatchList(Answer):
    """Batches, the newest first. `next_cursor` asks for the next page; null on the last one."""

    batches: tuple[BatchSummary, ...]
    next_cursor: str | None
