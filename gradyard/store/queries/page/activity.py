"""What a project finished in the last hour and day, and how long its jobs had waited.

An index has the ended jobs of each stage and state by the time of their end, so a period is a range of it. What a busy
service ends in a day may be millions of jobs: of each period at most MOST_ENDS are counted.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Double, bindparam, func, select

from gradyard.jobs.states import State
from gradyard.store.dialects import clock_of
from gradyard.store.quantiles import median_and_p95
from gradyard.store.queries.questions.streams import stages_of
from gradyard.store.tables import JobSummary

MOST_ENDS = 10_000
MOST_WAITS = 2_000


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


def activity(connection: Connection, project_id: int, seconds: float, periods: int) -> Activity:
    """What the project finished in the last `seconds`."""
    stages, end = list(stages_of(connection, project_id)), clock_of(connection)
    begin, width, found = end - seconds, seconds / periods, dict[State, tuple[int, ...]]()
    for state in (State.SUCCEEDED, State.FAILED):
        asked = {"project": project_id, "stages": stages, "state": state}
        edges = ({"begin": begin + number * width, "end": begin + (number + 1) * width} for number in range(periods))
        found[state] = tuple(connection.execute(_ended, asked | edge).scalar_one() for edge in edges)
    waits = connection.execute(_waits, {"project": project_id, "stages": stages, "begin": begin, "end": end}).scalar()
    complete = all(count < MOST_ENDS for counts in found.values() for count in counts)
    return Activity(
        seconds, found[State.SUCCEEDED], found[State.FAILED], complete, *(waits or (None, None))
    )  # fmt: skip


_begin, _end = (bindparam(name, type_=Double) for name in ("begin", "end"))
_of_stages: Any = JobSummary.stage.in_(bindparam("stages", expanding=True))
_in_period = (
    JobSummary.project_id == bindparam("project"), _of_stages, JobSummary.finished_at >= _begin,
    JobSummary.finished_at < _end,
)  # fmt: skip
_some = select(JobSummary.job_id).where(*_in_period, JobSummary.state == bindparam("state")).limit(MOST_ENDS)
_ended = select(func.count()).select_from(_some.subquery())
_ran = (
    select((JobSummary.started_at - JobSummary.submitted_at).label("waited"))
    .where(*_in_period, JobSummary.state.in_((State.SUCCEEDED, State.FAILED)), JobSummary.started_at.is_not(None))
    .limit(MOST_WAITS)
).subquery()  # fmt: skip
_waits = select(median_and_p95(_ran.c.waited))
