"""Rows of batches as answers."""

from typing import Any

from sqlalchemy import Row

from gradyard import shapes
from gradyard.jobs.states import State
from service.http.json_response import as_datetime


def batch_summary(batch: Row[Any], counts: dict[str, int]) -> shapes.BatchSummary:
    """A batch in a list; `counts` are its jobs by state."""
    return shapes.BatchSummary.of(**_summary(batch, counts))


def batch_answer(batch: Row[Any], counts: dict[str, int]) -> shapes.Batch:
    """A batch with its sweep; `counts` are its jobs by state."""
    return shapes.Batch.of(**_summary(batch, counts), sweep=batch.sweep)


def _summary(batch: Row[Any], counts: dict[str, int]) -> dict[str, Any]:
    queued, running = counts[State.QUEUED], counts[State.RUNNING]
    begun = running or queued < batch.size
    return {
        "id": batch.id, "name": batch.name, "size": batch.size, "submitted_at": as_datetime(batch.submitted_at),
        "state": "finished" if not queued + running else "running" if begun else "queued",
        "counts": counts,
    }  # fmt: skip
