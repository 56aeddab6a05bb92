"""The jobs and batches that others wait for: how far they are, and whether they have ended as asked."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, select

from gradyard.jobs.fleet import Queue
from gradyard.jobs.specs.dependencies import Condition, Kind
from gradyard.jobs.states import FINISHED, State
from gradyard.store.queries.batches import counts_of_batches
from gradyard.store.tables import Batch, Job

AT_ONCE = 500  # ids of one statement


@dataclass(frozen=True)
class Target:
    """A job or batch that others may wait for, as it is now.

    state: that of a job; of a batch `queued`, `running` or `finished`. left: how many of its `size` jobs have not
    ended. bad: how it did not succeed, in words; empty where it may still, or has. blocked: it waits for others itself.
    """

    id: UUID
    kind: Kind
    state: str
    left: int
    size: int = 1
    bad: str = ""
    blocked: bool = False

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it waits or runs."""
        return self.left == 0

    def met(self, condition: str) -> bool | None:
        """Whether it has ended as asked; None while that is not known."""
        if not self.has_ended:
            return None
        return condition == Condition.ENDED or not self.bad


def deleted(target_id: UUID, kind: Kind) -> Target:
    """One that is not there any more. It had ended, or else it could not be deleted."""
    return Target(target_id, kind, "deleted", 0, bad=f"the {kind} {target_id} was deleted before its end was looked at")


def targets(connection: Connection, ids: Collection[UUID], project_id: int | None = None) -> dict[UUID, Target]:
    """The jobs and batches of these ids, by id; without those that are not there, or not of that project."""
    found: dict[UUID, Target] = {}
    for part in parts_of(ids):
        found |= {row.id: _of_job(row) for row in connection.execute(_jobs, {"these": part})
                  if project_id in (None, row.project_id)}  # fmt: skip
        batches = connection.execute(_batches, {"these": [each for each in part if each not in found]}).all()
        mine = [row for row in batches if project_id in (None, row.project_id)]
        counts = counts_of_batches(connection, [row.id for row in mine]) if mine else {}
        found |= {row.id: _of_batch(row, counts[row.id]) for row in mine}
    return found


def parts_of(ids: Iterable[UUID], size: int = AT_ONCE) -> Iterator[list[UUID]]:
    """The ids in parts of at most so many, in the order of ids."""
    rest = iter(sorted(set(ids)))
    while part := list(islice(rest, size)):
        yield part


_these: Any = bindparam("these", expanding=True)
_jobs = select(Job.id, Job.project_id, Job.state, Job.reason, Job.queue).where(Job.id.in_(_these))
_batches = select(Batch.id, Batch.project_id, Batch.size).where(Batch.id.in_(_these))


def _of_job(row: Any) -> Target:
    bad = ""
    if row.state == State.FAILED:
        bad = f"the job {row.id} failed ({row.reason})"
    elif row.state == State.CANCELLED:
        bad = f"the job {row.id} was cancelled"
    left, blocked = int(row.state not in FINISHED), row.queue == Queue.BLOCKED
    return Target(row.id, Kind.JOB, row.state, left, bad=bad, blocked=blocked)


def _of_batch(row: Any, counts: Mapping[str, int]) -> Target:
    left = counts[State.QUEUED] + counts[State.RUNNING]
    state = "finished" if not left else "running" if counts[State.RUNNING] or left < sum(counts.values()) else "queued"
    ends = {"failed": counts[State.FAILED], "cancelled": counts[State.CANCELLED]}
    words = " and ".join(f"{count:,} {how}" for how, count in ends.items() if count)
    bad = f"the batch {row.id} ended with {words} of its {row.size:,} jobs" if words else ""
    return Target(row.id, Kind.BATCH, state, left, sum(counts.values()), bad)
