"""Which batches have finished, each end once.

Two transactions that end the last two jobs of a batch at once cannot see one another. So neither decides: each leaves
a notice, and a batch is looked at afterwards, as long as one of its notices says that this is still to be done
(`ends_batch`). The row of the batch is locked meanwhile, so that no retry adds jobs: where no job of it lives, every
transaction that ended one has committed, and its notice is here.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, or_, select, update

from gradyard.jobs.webhooks.messages import FinishedBatch
from gradyard.store.batch_counts import counts_of_batches
from gradyard.store.dialects import as_datetime
from gradyard.store.tables import IS_QUEUED, IS_RUNNING, Batch, Job, Project, WebhookNotice


@dataclass(frozen=True)
class BatchEnd:
    """A batch that has finished, as its message tells it, when, in which project, and by which notice."""

    project_id: int
    at: float
    notice: int
    batch: FinishedBatch


def finished_batches(connection: Connection, batch_ids: Collection[UUID]) -> list[BatchEnd]:
    """Those of these locked batches that have finished since they were last asked for, in the order of ids."""
    if not batch_ids:
        return []
    ends = _ends(connection, batch_ids)
    if not ends:
        return []
    untold = update(WebhookNotice).where(WebhookNotice.batch_id.in_(ends), WebhookNotice.ends_batch)
    connection.execute(untold.values(ends_batch=False))
    batches = {row.id: row for row in connection.execute(select(*Batch.__table__.columns).where(Batch.id.in_(ends)))}
    counts = counts_of_batches(connection, list(batches))
    return [
        BatchEnd(project_id, at, notice, _told(batch_id, project, at, batches.get(batch_id), counts.get(batch_id)))
        for batch_id, (project_id, project, at, notice) in sorted(ends.items())
    ]


def _told(
    batch_id: UUID, project: str, at: float, batch: Row[Any] | None, counts: dict[str, int] | None
) -> FinishedBatch:
    known: dict[str, Any] = {"name": None, "size": None, "submitted_at": None}
    if batch is not None:
        known = {"name": batch.name, "size": batch.size, "submitted_at": as_datetime(batch.submitted_at)}
    return FinishedBatch(id=str(batch_id), project=project, counts=counts, finished_at=as_datetime(at), **known)


def _ends(connection: Connection, batch_ids: Collection[UUID]) -> dict[UUID, tuple[int, str, float, int]]:
    """Project, time and last notice of each of these batches that has one to be looked at, and no job that lives."""
    live = or_(*(
        select(Job.id).where(Job.batch_id == WebhookNotice.batch_id, each).exists() for each in (IS_QUEUED, IS_RUNNING)
    ))  # fmt: skip
    query = (
        select(WebhookNotice.batch_id, Project.id, Project.name, func.max(WebhookNotice.at), func.max(WebhookNotice.id))
        .join(Project, Project.id == WebhookNotice.project_id)
        .where(WebhookNotice.batch_id.in_(batch_ids), WebhookNotice.ends_batch, ~live)
        .group_by(WebhookNotice.batch_id, Project.id, Project.name)
    )
    rows = connection.execute(query)
    return {
        batch_id: (project_id, name, at, notice) for batch_id, project_id, name, at, notice in rows
        if batch_id is not None
    }  # fmt: skip
