"""Jobs of a project that have ended, each at a time of its own, and what is left of them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, select, update

from gradyard.jobs.settings import Settings
from gradyard.jobs.storage import RetentionRule
from gradyard.store.database import Database
from gradyard.store.dialects import clock_of
from gradyard.store.retention.expire import Expired, Expiry
from gradyard.store.retention.sizes import measure
from gradyard.store.tables import Job, JobSummary
from tests.actors import claimed, submitted, succeeds, worker_of

DAY = 86_400.0


def ended_jobs(database: Database, settings: Settings, ages: Sequence[float]) -> list[UUID]:
    """Jobs that succeeded that many days ago, in the order of `ages`."""
    ids, worker = [submitted(database, settings) for _ in ages], worker_of(database)
    while any(state == "queued" for state in states(database)):
        succeeds(database, claimed(database, worker))
    with database.begin() as connection:
        for job_id, age in zip(ids, ages, strict=True):
            ended(connection, job_id, age)
    return ids


def ended(connection: Connection, job_id: UUID, days_ago: float) -> None:
    """Let it have ended then."""
    at = clock_of(connection) - DAY * days_ago
    connection.execute(update(JobSummary).where(JobSummary.job_id == job_id).values(finished_at=at))


def pin(database: Database, *job_ids: UUID) -> None:
    with database.begin() as connection:
        connection.execute(update(Job).where(Job.id.in_(job_ids)).values(pinned=True))


def states(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(select(Job.state).order_by(Job.id)).scalars())


def left(database: Database) -> list[UUID]:
    """The jobs that are there, the oldest first."""
    with database.read() as connection:
        return list(connection.execute(select(Job.id).order_by(Job.id)).scalars())


def measured(database: Database, project_id: int = 1, since: float = 0.0) -> int:
    """Measure all jobs of the project that have ended since then; returns in how many looks."""
    return sum(1 for _ in measure(database, project_id, since))


def run(database: Database, rule: RetentionRule, project_id: int = 1, key_seconds: float = DAY) -> Expired:
    """Measure what has ended, then one whole run of the service's rule."""
    measured(database, project_id)
    expiry = Expiry(database, project_id, rule, key_seconds, "maintenance@host (pid 1)", "maintenance@host")
    for _ in expiry.slices():
        pass
    return expiry.done
