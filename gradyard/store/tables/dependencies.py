"""What jobs wait for before they are trained: jobs and batches that were submitted before them.

A job with dependencies names a row of `waits`; all jobs of a batch that wait for the same share one. While it waits, a
job is in the queue `blocked`, where no worker looks. Nothing is counted: whether a wait is over follows from the states
of what it waits for. `jobs.followed` and `batches.followed` mark those of whose end a wait must hear.
"""

from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, Index, Integer, String, Text, exists, false, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from gradyard.jobs.fleet import Queue
from gradyard.jobs.specs.dependencies import Condition, Kind, WaitState
from gradyard.jobs.states import State
from gradyard.store.tables.base import Table
from gradyard.store.tables.jobs import Job
from gradyard.store.tables.vocabularies import in_sql, is_known

_DECIDED = text(f"state IN ({in_sql((WaitState.MET, WaitState.FAILED))})")
_WAITING = text(f"state = '{WaitState.WAITING}'")
_OF_BATCH, _OF_JOB = text("batch_id IS NOT NULL"), text("job_id IS NOT NULL")


class Wait(Table):
    """What a single job, or some jobs of a batch, wait for; and whether it has ended as they asked."""

    __tablename__ = "waits"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(Integer, ForeignKey("projects.id"))
    job_id: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))  # the single job
    batch_id: Mapped[UUID | None] = mapped_column(ForeignKey("batches.id", ondelete="CASCADE"))  # or of this batch
    state: Mapped[str] = mapped_column(String(16))
    message: Mapped[str | None] = mapped_column(Text)  # of one that failed: what did not end as asked

    __table_args__ = (
        is_known("state", WaitState),
        Index("ix_waits_decided", "id", sqlite_where=_DECIDED, postgresql_where=_DECIDED),
        Index("ix_waits_waiting", "id", sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index("ix_waits_of_job", "job_id", sqlite_where=_OF_JOB, postgresql_where=_OF_JOB),
        Index("ix_waits_of_batch", "batch_id", sqlite_where=_OF_BATCH, postgresql_where=_OF_BATCH),
    )


class WaitsFor(Table):
    """One job or batch that a wait is for, and how that must end."""

    __tablename__ = "waits_for"

    wait_id: Mapped[UUID] = mapped_column(ForeignKey("waits.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)  # in the request
    kind: Mapped[str] = mapped_column(String(8))
    on_id: Mapped[UUID]  # no foreign key: once it has ended, it may be deleted
    condition: Mapped[str] = mapped_column(String(16))
    met: Mapped[bool] = mapped_column(server_default=false())  # of a wait that failed: this one ended as asked before

    __table_args__ = (
        is_known("kind", Kind), is_known("condition", Condition), Index("ix_waits_for_on", "on_id", "wait_id"),
    )  # fmt: skip


IS_DECIDED: ColumnElement[bool] = Wait.state.in_(
    [literal_column(f"'{each}'") for each in (WaitState.MET, WaitState.FAILED)]
)
"""A wait that is over, and whose jobs may not have moved yet. Literals, as the planners take no index without them."""

IS_WAITING: ColumnElement[bool] = Wait.state == literal_column(f"'{WaitState.WAITING}'")
_blocked = Job.__table__.alias("blocked")
HAS_BLOCKED_JOBS: ColumnElement[bool] = exists().where(
    _blocked.c.wait_id == Wait.id,
    _blocked.c.state == literal_column(f"'{State.QUEUED}'"),
    _blocked.c.queue == literal_column(f"'{Queue.BLOCKED}'"),
)
"""A wait of which a job waits still: those of another were cancelled."""
