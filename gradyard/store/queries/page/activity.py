"""What a project finished in the last hour and day, and how long its jobs had waited.

An index has the ended jobs of each stage and state by the time of their end, so a period is a range of it. What a busy
service ends in a day may be millions of jobs: of each period at most MOST_ENDS are counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Double, Integer, Select, bindparam, func, literal_column, select, union_all

from gradyard.jobs.states import State
from gradyard.store.dialects import clock_of
from gradyard.store.quantiles import median_and_p95
from gradyard.store.queries.questions.streams import stages_of
from gradyard.store.tables import JobSummary

MOST_ENDS = 10_000
MOST_WAITS = 2_000
CLOCK_STEP = 0.001  # seconds; SQLite's clock moves in them, and what ended at this one has ended


@dataclass(frozen=True)
class Activity:
    """Jobs that ended in the last `seconds`, in even periods, the oldest first.

    succeeded, failed: how many in each period; complete: False where a period had more than are counted. median_wait,
    p95_wait: seconds from submission to start, of some of those that ran; None where none did.
    """

    seconds: float
    succeeded: tuple[int, ...]
    failed: tuple[int, ...]
    complete: bool
    median_wait: float | None
    p95_wait: float | None

    @property
    def ended(self) -> int:
        """How many."""
        return sum(self.succeeded) + sum(self.failed)


def activity(
    connection: Connection, project_id: int, seconds: float, periods: int, stages: Sequence[str] | None = None
) -> Activity:
    """What the project finished in the last `seconds`. stages: those that its jobs have, where that is known."""
    end = clock_of(connection) + CLOCK_STEP
    those = list(stages_of(connection, project_id) if stages is None else stages)
    asked = {"project": project_id, "stages": those, "begin": end - seconds, "end": end, "width": seconds / periods}
    counts = [tuple(row) for row in connection.execute(_ended(periods), asked)]
    waits = connection.execute(_waits, asked).scalar()
    complete = all(count < MOST_ENDS for row in counts for count in row)
    succeeded, failed = (tuple(column) for column in zip(*counts, strict=True))
    return Activity(seconds, succeeded, failed, complete, *(waits or (None, None)))


@cache
def _ended(periods: int) -> Select[Any]:
    """How many jobs succeeded and failed in each period: one statement, since each costs more than what it reads."""
    # As a VALUES list it would be compiled anew each time: 5 ms.
    every = union_all(*(select(literal_column(str(at), Integer).label("number")) for at in range(periods)))
    numbers, number = every.cte("numbers"), literal_column("numbers.number", Integer)
    begins, ends = _begin + number * _width, _begin + (number + 1) * _width
    counts = []
    for state in (State.SUCCEEDED, State.FAILED):
        some = select(JobSummary.job_id).where(*_of_project, JobSummary.state == state)
        some = some.where(JobSummary.finished_at >= begins, JobSummary.finished_at < ends).limit(MOST_ENDS)
        counts.append(select(func.count()).select_from(some.subquery()).scalar_subquery())
    return select(*counts).select_from(numbers).order_by(number)


_begin, _end, _width = (bindparam(name, type_=Double) for name in ("begin", "end", "width"))
_of_stages: Any = JobSummary.stage.in_(bindparam("stages", expanding=True))
_of_project = JobSummary.project_id == bindparam("project"), _of_stages
_ran = (
    select((JobSummary.started_at - JobSummary.submitted_at).label("waited"))
    .where(*_of_project, JobSummary.finished_at >= _begin, JobSummary.finished_at < _end)
    .where(JobSummary.state.in_((State.SUCCEEDED, State.FAILED)), JobSummary.started_at.is_not(None))
    .limit(MOST_WAITS)
).subquery()  # fmt: skip
_waits = select(median_and_p95(_ran.c.waited))
