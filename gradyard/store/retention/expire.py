"""What a rule lets go is deleted, the oldest first, in short transactions. Each of them says so in the audit."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import Connection, select

from gradyard.jobs.audit import Action
from gradyard.jobs.fleet import FleetCounter
from gradyard.jobs.storage import RetentionRule
from gradyard.store import audit, fleet
from gradyard.store.database import Database
from gradyard.store.dialects import clock_of
from gradyard.store.lifecycle.delete import SLICE_SECONDS, delete_ended
from gradyard.store.retention.due import due
from gradyard.store.retention.rules import rule_of
from gradyard.store.tables import JobSize, Project, bytes_of

LOOKED_UP = 10_000  # jobs that one look finds
MOST_AT_ONCE = 250  # jobs of one statement
LOCK_SECONDS = 1.0


@dataclass(frozen=True)
class Expired:
    """How many jobs a run of retention has deleted so far, and how many bytes they had, as far as was measured."""

    jobs: int = 0
    bytes: int = 0

    def __str__(self) -> str:
        return f"{self.jobs:,} {'job' if self.jobs == 1 else 'jobs'} with {self.bytes:,} bytes"


@dataclass
class Expiry:
    """One run of the rule of a project. `actor` is who did it in the audit, `counted_by` in the counters.

    default: the rule of a project without one of its own. key_seconds: how long an idempotency key keeps its job.
    """

    database: Database
    project_id: int
    default: RetentionRule
    key_seconds: float
    actor: str
    counted_by: str
    done: Expired = Expired()
    entry_id: UUID | None = None
    rule: RetentionRule = field(default_factory=RetentionRule)

    def slices(self) -> Iterator[Expired]:
        """Delete what the rule lets go; after each transaction, tell how much it is so far.

        A job that another transaction has locked is left to the next run. Where the project gets another rule
        meanwhile, the run ends: no job goes by a rule that was taken back.
        """
        with self.database.read() as connection:
            self.rule = rule_of(connection, self.project_id, self.default)
        while waiting := self._look():
            before = self.done.jobs
            while waiting:
                with self.database.begin(LOCK_SECONDS) as connection:
                    if rule_of(connection, self.project_id, self.default) != self.rule:
                        return
                    waiting = self._delete(connection, waiting)
                yield self.done
            if self.done.jobs == before:
                return

    def _look(self) -> list[UUID]:
        with self.database.read() as connection:
            at, rule = clock_of(connection), self.rule
            return due(connection, self.project_id, rule, at=at, most=LOOKED_UP, key_seconds=self.key_seconds)

    def _delete(self, connection: Connection, waiting: list[UUID]) -> list[UUID]:
        """Delete some of these jobs, in about SLICE_SECONDS, and return the others."""
        at_once, begin, done = 1, time.monotonic(), self.done
        while waiting:
            part, waiting = waiting[:at_once], waiting[at_once:]
            sizes = _sizes_of(connection, part)
            gone = delete_ended(connection, self.project_id, part)
            done = Expired(done.jobs + len(gone), done.bytes + sum(sizes.get(each, 0) for each in gone))
            if time.monotonic() - begin > SLICE_SECONDS:
                break
            at_once = min(2 * at_once, MOST_AT_ONCE)  # jobs differ in size: a curve has 4 bytes or 80 MB
        if done.jobs > self.done.jobs:
            self._tell(connection, done)
        return waiting

    def _tell(self, connection: Connection, done: Expired) -> None:
        detail = f"{done}; kept: {self.rule}"
        if self.entry_id is None:
            name = connection.execute(select(Project.name).where(Project.id == self.project_id)).scalar_one()
            self.entry_id = audit.note(
                connection, Action.JOBS_EXPIRED, name, project_id=self.project_id, actor=self.actor, detail=detail
            )
        else:
            audit.tell_more(connection, self.entry_id, detail)
        fleet.count(connection, self.counted_by, {FleetCounter.JOBS_EXPIRED: done.jobs - self.done.jobs})
        self.done = done


def _sizes_of(connection: Connection, job_ids: list[UUID]) -> dict[UUID, int]:
    query = select(JobSize.job_id, bytes_of(JobSize)).where(JobSize.job_id.in_(job_ids))
    return {row[0]: row[1] for row in connection.execute(query)}
