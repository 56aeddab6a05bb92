"""How many jobs of a project, and of a key, may wait: exact, also for submissions at once.

On PostgreSQL, submissions at once do not see each other's jobs. Those of one project wait for each other by two locks:

- `submissions`: a submission of one job shares it. A batch, once its jobs are inserted, has it alone and counts again.
- `last capacity`: a submission of one job has it alone where the capacity left is at most `AT_ONCE`. The others need
  not wait for each other: so many requests are not in flight at once.

Those of one key wait by two such locks of the key, after those of the project: so no two wait for each other. Where
keys have no limit, nothing is locked or counted for them.

Rows that new jobs wait for are locked before all these locks, by every submission.

SQLite has one writer at a time, so there the first count is exact.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Integer, Select, bindparam, func, literal_column, select

from gradyard.jobs.errors import FieldProblem, QueueFull, SpecInvalid
from gradyard.store.dialects import advisory_lock
from gradyard.store.tables import IS_QUEUED, Job

AT_ONCE = 1000
"""More requests than all API processes together answer at a time."""


@dataclass(frozen=True)
class QueueLimits:
    """How many jobs of a project may wait, and how many that `actor` submitted, in whichever project; 0: any number."""

    project_id: int
    of_project: int
    actor: str
    of_key: int = 0

    @property
    def columns(self) -> dict[str, Any]:
        """The columns of new jobs by which they are counted."""
        return {"project_id": self.project_id, "counted_for": self._key}

    def in_order(self) -> Iterator["_Limit"]:
        """The limit of the project, then that of the key, in the order in which they are locked."""
        yield _Limit(f"project {self.project_id}", self.of_project, "a project", "", _of_project, self.project_id)
        if key := self._key:
            yield _Limit(f"key {key}", self.of_key, "a key", f" submitted by {key}", _of_key, key)

    @property
    def _key(self) -> str | None:
        return self.actor[:200] if self.of_key else None


@dataclass(frozen=True)
class _Limit:
    """How many jobs of one project or key may wait."""

    owner: str
    most: int
    kind: str
    whose: str
    waiting: Any
    value: int | str

    def capacity_left(self, connection: Connection) -> int:
        """How many more jobs may wait; negative where one more waits than may."""
        counted = connection.execute(self.waiting, {"value": self.value, "most": self.most + 1}).scalar_one()
        return self.most - int(counted)

    def refuse(self, new: int) -> None:
        words = "are waiting already" if new == 1 else f"may wait, and there is no room for {new:,} more"
        raise QueueFull(f"{self.most:,} jobs{self.whose} {words}; submit again when some are done")


def _count_of(column: Any) -> Any:
    # No column of the row: SQLite would fetch each row for it, with its spec, where the index says enough.
    queued: Select[Any] = select(literal_column("1")).where(column == bindparam("value"), IS_QUEUED)
    return select(func.count()).select_from(queued.limit(bindparam("most", type_=Integer)).subquery())


# Built once: building such statements costs more than executing them.
_of_project, _of_key = _count_of(Job.project_id), _count_of(Job.counted_for)


def reserve_queue_capacity(connection: Connection, limits: QueueLimits) -> None:
    """Let one job more wait, from now until the transaction ends. Raises QueueFull."""
    for limit in limits.in_order():
        advisory_lock(connection, f"submissions to {limit.owner}", shared=True)
        left = limit.capacity_left(connection)
        if 0 < left <= AT_ONCE:
            advisory_lock(connection, f"last capacity of {limit.owner}")
            left = limit.capacity_left(connection)
        if left < 1:
            limit.refuse(1)


def check_queue_capacity(connection: Connection, limits: QueueLimits, new: int) -> None:
    """Raise QueueFull where so many new jobs would make more wait than may.

    Raises SpecInvalid where that many may never wait. After their insertion, call `recheck_queue_capacity`.
    """
    for limit in limits.in_order():
        if new > limit.most:
            raise SpecInvalid([FieldProblem("", f"{new:,} jobs; at most {limit.most:,} of {limit.kind} may wait")])
        if limit.capacity_left(connection) < new:
            limit.refuse(new)


def recheck_queue_capacity(connection: Connection, limits: QueueLimits, new: int) -> None:
    """Raise QueueFull where, with the `new` jobs of this transaction, more wait than may.

    The locks are held from here to the commit: the last words of a transaction.
    """
    if connection.dialect.name == "sqlite":
        return
    for limit in limits.in_order():
        advisory_lock(connection, f"submissions to {limit.owner}")
        if limit.capacity_left(connection) < 0:
            limit.refuse(new)
