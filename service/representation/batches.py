"""Rows of batches as answers."""

from typing import Any

from sqlalchemy import Row

from gradyard import shapes
from gradyard.jobs.states import State
from gradyard.store.dialects import as_datetime


def batch_summary(batch: Row[Any], counts: dict[str, int]) -> shapes.BatchSummary:
    """A batch in a list; `counts` are its jobs by state."""
    return shapes.BatchSummary.of(**_summary(batch, counts))


def batch_answer(batch: Row[Any], counts: dict[str, int], failures: list[Row[Any]]) -> shapes.Batch:
    """A batch with its sweep; `counts` are its jobs by state, `failures` the failed ones by reason."""
    shown: list[shapes.Failures] = [
        {"reason": each.reason, "count": each.failed, "job": each.job, "message": each.message} for each in failures
    ]
    return shapes.Batch.of(**_summary(batch, counts), sweep=batch.sweep, failures=shown)


def batch_state(size: int, counts: dict[str, int]) -> str:
    """`finished` when none of its jobs waits or runs, `queued` until one of them has begun, else `running`."""
    queued, running = counts[State.QUEUED], counts[State.RUNNING]
    if not queued + running:
        return "finished"
    return "running" if running or queued < size else "queued"


def _summary(batch: Row[Any], counts: dict[str, int]) -> dict[str, Any]:
    return {
        "id": batch.id, "name": batch.name, "size": batch.size, "submitted_at": as_datetime(batch.submitted_at),
        "submitted_by": batch.submitted_by,
        "state": batch_state(batch.size, counts), "counts": counts,
    }  # fmt: skip
