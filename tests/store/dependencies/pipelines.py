"""Jobs that wait for each other, and what becomes of them."""

from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from gradyard.jobs.settings import Settings
from gradyard.jobs.states import Reason, State
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.fleet import WorkerInfo
from gradyard.store.lifecycle import SubmittedBatch
from gradyard.store.summaries import end_summaries
from gradyard.store.tables import Job, JobEvent
from gradyard.store.upkeep.waits import end_waits
from tests.actors import submitted
from tests.store.test_batches import stored

LONG = 60.0


def ended(condition_of: UUID) -> dict[str, str]:
    """A dependency that only needs an end, whichever."""
    return {"id": str(condition_of), "condition": "ended"}


def after(database: Database, settings: Settings, *others: Any, **spec: Any) -> UUID:
    """A job that depends on these jobs or batches: their ids, or whole dependencies."""
    depends_on = [each if isinstance(each, dict) else str(each) for each in others]
    return submitted(database, settings, depends_on=depends_on, **spec)


def batch_after(database: Database, *others: Any, size: int = 3, **spec: Any) -> SubmittedBatch:
    """A sweep of so many jobs, each of which depends on these."""
    whole = {"stage": "tensor", "steps": 4, "depends_on": [str(each) for each in others]} | spec
    return stored(database, {"spec": whole, "grid": {"seed": {"stop": size}}})


def follow(database: Database) -> dict[str, int]:
    """What a worker and maintenance do after an end. Returns how many jobs may be claimed by that, by queue."""
    return dict(end_waits(database, LONG, actor="maintenance"))


def row_of(database: Database, job_id: UUID) -> Any:
    """The row of the job."""
    with database.read() as connection:
        return connection.execute(select(Job.__table__).where(Job.id == job_id)).one()


def states_of(database: Database, *jobs: UUID) -> list[str]:
    """The states of these jobs."""
    return [row_of(database, job_id).state for job_id in jobs]


def members_of(database: Database, batch: SubmittedBatch) -> list[UUID]:
    """The jobs of the batch, in the order of ids."""
    with database.read() as connection:
        query = select(Job.id).where(Job.batch_id == batch.batch_id).order_by(Job.id)
        return list(connection.execute(query).scalars())


def kinds_of(database: Database, job_id: UUID) -> list[str]:
    """The kinds of the job's events."""
    with database.read() as connection:
        query = select(JobEvent.kind).where(JobEvent.job_id == job_id).order_by(JobEvent.sequence)
        return [str(kind) for kind in connection.execute(query).scalars()]


def claims(database: Database, worker: WorkerInfo) -> list[UUID]:
    """The jobs that the worker claims now; none where there is nothing to claim."""
    with database.begin() as connection:
        claim = lifecycle.claim(connection, worker, 15.0)
    return [] if claim is None else [member.id for member in claim.members]


def cancels(database: Database, job_id: UUID) -> None:
    """Cancel a queued job."""
    with database.begin() as connection:
        lifecycle.request_cancel(connection, job_id, actor="test")


def ends(database: Database, *jobs: UUID, state: State = State.SUCCEEDED) -> None:
    """End these queued jobs by hand, as if a worker had trained them."""
    reason = Reason.ERROR if state is State.FAILED else None
    with database.begin() as connection:
        connection.execute(
            update(Job).where(Job.id.in_(jobs)).values(state=state, reason=reason, finished_at=1.0, claim_id=None)
        )
        end_summaries(connection, jobs)
