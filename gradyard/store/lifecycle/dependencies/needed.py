"""What others wait for is not deleted: how it ended is read from its rows."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, bindparam, exists, or_, select, update

from gradyard.jobs.errors import IllegalMove
from gradyard.store.tables import HAS_BLOCKED_JOBS, IS_WAITING, Batch, Job, Wait, WaitsFor


def is_needed() -> ColumnElement[bool]:
    """The condition on rows of `jobs` that others wait for the job, or for its batch.

    The mark stands in the row itself: a deletion that waited for a submission sees it, and no other row of that.
    """
    of_wait = (WaitsFor.wait_id == Wait.id, IS_WAITING, HAS_BLOCKED_JOBS)
    job = exists().where(WaitsFor.on_id == Job.id, *of_wait)
    batch = exists().where(WaitsFor.on_id == Job.batch_id, *of_wait)
    return or_(Job.followed, job, batch)


def follow_again(connection: Connection, batch_id: UUID) -> None:
    """Note that waits for this locked batch must hear of its end once more: new jobs come into it."""
    connection.execute(_follow_again, {"this": batch_id})


def refuse_needed(connection: Connection, ids: Collection[UUID], what: str) -> None:
    """Raise IllegalMove, which names one that waits, where jobs wait for one of these jobs or batches."""
    waiting = connection.execute(_first_waiting, {"these": list(ids)}).first()
    if waiting is not None:
        who = f"job {waiting.job_id}" if waiting.batch_id is None else f"batch {waiting.batch_id}"
        raise IllegalMove(f"the {who} waits for the end of {what}; cancel it, or delete this when it runs")


_these: Any = bindparam("these", expanding=True)
_first_waiting = (
    select(Wait.job_id, Wait.batch_id).join(WaitsFor, WaitsFor.wait_id == Wait.id)
    .where(WaitsFor.on_id.in_(_these), IS_WAITING, HAS_BLOCKED_JOBS).limit(1)
)  # fmt: skip
_follow_again = (
    update(Batch).where(Batch.id == bindparam("this"), Batch.followed.is_(False))
    .where(exists().where(WaitsFor.on_id == Batch.id, WaitsFor.wait_id == Wait.id, IS_WAITING))
    .values(followed=True)
)  # fmt: skip
