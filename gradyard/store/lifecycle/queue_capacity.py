"""How many jobs of a project may wait: exact, also for submissions at once.

On PostgreSQL, submissions at once do not see each other's jobs. Those of one project wait for each other by two locks:

- `submissions`: a submission of one job shares it. A batch, once its jobs are inserted, has it alone and counts again.
- `last capacity`: a submission of one job has it alone where the capacity left is at most `AT_ONCE`. The others need
  not wait for each other: so many requests are not in flight at once.

Rows that new jobs wait for are locked before both locks, by every submission: so no two wait for each other.

SQLite has one writer at a time, so there the first count is exact.
"""

from sqlalchemy import Connection, Integer, bindparam, func, select

from gradyard.jobs.errors import FieldProblem, QueueFull, SpecInvalid
from gradyard.store.dialects import advisory_lock
from gradyard.store.tables import IS_QUEUED, Job

AT_ONCE = 1000
"""More requests than all API processes together answer at a time."""

# Built once: building such statements costs more than executing them.
_queued = select(Job.id).where(Job.project_id == bindparam("project"), IS_QUEUED)
_waiting = select(func.count()).select_from(_queued.limit(bindparam("most", type_=Integer)).subquery())


def reserve_queue_capacity(connection: Connection, project_id: int, max_queued: int) -> None:
    """Let one job more of the project wait, from now until the transaction ends. Raises QueueFull."""
    advisory_lock(connection, f"submissions to project {project_id}", shared=True)
    left = _capacity_left(connection, project_id, max_queued)
    if 0 < left <= AT_ONCE:
        advisory_lock(connection, f"last capacity of project {project_id}")
        left = _capacity_left(connection, project_id, max_queued)
    if left < 1:
        raise QueueFull(f"{max_queued:,} jobs are waiting already; submit again when some are done")


def check_queue_capacity(connection: Connection, project_id: int, max_queued: int, new: int) -> None:
    """Raise QueueFull where so many new jobs would make more than `max_queued` of the project wait.

    Raises SpecInvalid where that many may never wait. After their insertion, call `recheck_queue_capacity`.
    """
    if new > max_queued:
        raise SpecInvalid([FieldProblem("", f"{new:,} jobs; at most {max_queued:,} of a project may wait")])
    if _capacity_left(connection, project_id, max_queued) < new:
        _refuse(max_queued, new)


def recheck_queue_capacity(connection: Connection, project_id: int, max_queued: int, new: int) -> None:
    """Raise QueueFull where, with the `new` jobs of this transaction, more than `max_queued` of the project wait.

    The lock is held from here to the commit: the last words of a transaction.
    """
    if connection.dialect.name == "sqlite":
        return
    advisory_lock(connection, f"submissions to project {project_id}")
    if _capacity_left(connection, project_id, max_queued) < 0:
        _refuse(max_queued, new)


def _refuse(max_queued: int, new: int) -> None:
    words = "are waiting already" if new == 1 else f"may wait, and there is no room for {new:,} more"
    raise QueueFull(f"{max_queued:,} jobs {words}; submit again when some are done")


def _capacity_left(connection: Connection, project_id: int, max_queued: int) -> int:
    """How many more jobs may wait; negative where one more waits than may."""
    waiting = connection.execute(_waiting, {"project": project_id, "most": max_queued + 1}).scalar_one()
    return max_queued - int(waiting)
