"""What the members of a batch may ask for together."""

from collections.abc import Hashable

from gradyard.jobs.errors import FieldProblem, SpecInvalid
from gradyard.jobs.settings import Settings
from gradyard.jobs.specs.base import JobSpec
from gradyard.jobs.submission.resolve import work_of

MOST_WORK = 5 * 10**8  # numbers to be looked at before anything is stored: a few seconds


class BudgetExceeded(Exception):
    """All members together are too much, whichever comes next."""


class BatchBudget:
    """What the members of a batch ask for together: a sweep says much in few words. It raises BudgetExceeded."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._bytes = self._point_steps = self._work = 0
        self._looked_at: set[Hashable] = set()

    def check_bytes(self, body: bytes) -> None:
        """Of the member, and of all so far."""
        if len(body) > self._settings.max_json_bytes:
            most = self._settings.max_json_bytes
            raise SpecInvalid([FieldProblem("", f"{len(body):,} bytes; a job has at most {most:,}")])
        self._bytes += len(body)
        if self._bytes > self._settings.max_batch_bytes:
            raise BudgetExceeded(f"its jobs have over {self._settings.max_batch_bytes:,} bytes")

    def check_cost(self, spec: JobSpec) -> None:
        """Of training, and of what must be computed before anything is stored."""
        self._point_steps += spec.steps * spec.dataset.points
        if self._point_steps > self._settings.max_point_steps:
            raise BudgetExceeded(f"over {self._settings.max_point_steps:,} point-steps together")
        what, work = work_of(spec)
        if what not in self._looked_at:
            self._looked_at.add(what)
            self._work += work
        if self._work > MOST_WORK:
            raise BudgetExceeded(
                "too many points in data that differ, whose stability limit is computed before anything is stored; "
                "send fewer jobs at once, or jobs with the same x"
            )
