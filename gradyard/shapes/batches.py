"""Batches: jobs that were submitted together."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import AwareDatetime, with_config
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from gradyard.shapes.base import Answer
from gradyard.shapes.jobs import EXTRA_FIELDS_ARE_KEPT, Job


@with_config(EXTRA_FIELDS_ARE_KEPT)
class Failures(TypedDict):
    """The failed jobs of a batch that have one reason: how many, the id of one of them, and what that one says."""

    reason: str
    count: int
    job: str
    message: str | None


class BatchSummary(Answer):
    """A batch in a list: how many of its jobs are in each state. A job that was replaced is not counted."""

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
    """Jobs, the lowest last loss first."""

    jobs: tuple[Job, ...]


class BatchList(Answer):
    """Batches, the newest first. `next_cursor` asks for the next page; null on the last one."""

    batches: tuple[BatchSummary, ...]
    next_cursor: str | None
