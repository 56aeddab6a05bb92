"""The rows of all jobs of a run, their events and results, read from the database at once."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from gradyard.store.database import Database
from gradyard.store.tables import Job, JobEvent, LossChunk, Project, Result
from tests.faults.fingerprints import of_history

GOES_ON = "goes on from step "


@dataclass(frozen=True)
class Rows:
    """Jobs, their events in order, and their results, by job id as text."""

    jobs: dict[str, Row[Any]]
    events: dict[str, list[Row[Any]]]
    results: dict[str, Row[Any]]
    projects: dict[int, str]

    @classmethod
    def read(cls, database: Database) -> "Rows":
        """Read the rows of all jobs."""
        job = select(
            Job.id, Job.state, Job.attempt, Job.reason, Job.message, Job.steps, Job.dtype, Job.spec,
            Job.project_id, Job.batch_id, Job.retry_of, Job.replaced_by, Job.train_seconds,
        )  # fmt: skip
        event = select(JobEvent).order_by(JobEvent.job_id, JobEvent.sequence)
        result = select(Result.job_id, Result.attempt, Result.coefficients)
        with database.read() as connection:
            events, jobs = defaultdict(list), {str(row.id): row for row in connection.execute(job)}
            for row in connection.execute(event):
                if str(row.job_id) in jobs:  # jobs come and go between the statements
                    events[str(row.job_id)].append(row)
            return cls(
                jobs, dict(events), {str(row.job_id): row for row in connection.execute(result)},
                {row.id: row.name for row in connection.execute(select(Project.id, Project.name))},
            )  # fmt: skip

    def all_events(self) -> Iterable[Row[Any]]:
        """The events of all jobs."""
        return (event for events in self.events.values() for event in events)

    def start_of(self, job: str, attempt: int) -> Row[Any] | None:
        """The event by which that attempt was claimed; None where there is none."""
        return next((e for e in self.events.get(job, []) if e.to_state == "running" and e.attempt == attempt), None)


def start_step(event: Row[Any]) -> int:
    """The step at which the attempt of a claim event began."""
    detail = event.detail or ""
    return int(detail.removeprefix(GOES_ON)) if detail.startswith(GOES_ON) else 0


def history(database: Database, job: Row[Any], result: Row[Any]) -> tuple[str, str | None]:
    """The hash of a job's losses and coefficients, and what is wrong with its loss chunks (None: nothing)."""
    chunk = select(LossChunk.start_step, LossChunk.steps, LossChunk.losses).where(LossChunk.job_id == UUID(str(job.id)))
    with database.read() as connection:
        chunks = list(connection.execute(chunk.order_by(LossChunk.start_step)))
    reached = 0
    for each in chunks:
        if each.start_step != reached:
            return "", f"a chunk begins at step {each.start_step}, the one before ended at {reached}"
        reached += each.steps
    if reached != job.steps:
        return "", f"{reached} losses are stored of {job.steps} steps"
    return of_history(b"".join(each.losses for each in chunks), result.coefficients), None
