"""What the members of a batch may ask for together."""

from collections.abc import Hashable

from gradyard.jobs.errors import FieldProblem, SpecInvalid
from gradyard.jobs.settings import Settings
from gradyard.jobs.specs.base import JobSpec
from gradyard.jobs.submission.resolution.resolve import work_of
from gradyard.jobs.validation.json_text import check_one
from gradyard.jobs.validation.json_weight import Weight

DEFAULTS_BYTES = 600
"""Of a stored spec: at most so many are of values that its sender left out. A batch was within its limit without."""

MOST_WORK = 5 * 10**8  # numbers to compute with before anything is stored: a few seconds


class BudgetExceeded(Exception):
    """The members of a batch together exceed a limit."""


class BatchBudget:
    """The cost of a batch's members so far: a short sweep can ask for much. Raises BudgetExceeded.

    is_weighed: the request has every member as it is, and its lists, objects and values were counted before.
    """

    def __init__(self, settings: Settings, *, is_weighed: bool = False) -> None:
        self._settings, self._is_weighed = settings, is_weighed
        self._bytes = self._point_steps = self._work = 0
        self._weight = Weight()
        self._computed: set[Hashable] = set()

    def check_bytes(self, body: bytes) -> None:
        """Check the bytes of this member, and bytes and values of all so far. Raises SpecInvalid for this member's."""
        if len(body) > self._settings.max_json_bytes:
            most = self._settings.max_json_bytes
            raise SpecInvalid([FieldProblem("", f"{len(body):,} bytes; a job has at most {most:,}")])
        self._add(len(body))
        if not self._is_weighed:
            self._weight = self._weight.beside(Weight.of(body))
            if excess := self._weight.excess:
                raise BudgetExceeded(f"its jobs have {excess}")
        check_one(body)

    def check_stored(self, spec_bytes: int, count: int = 1) -> None:
        """Check the bytes of so many members that are stored already, maybe changed, and of all so far."""
        self._add(max(0, spec_bytes - count * DEFAULTS_BYTES))

    def _add(self, spec_bytes: int) -> None:
        self._bytes += spec_bytes
        if self._bytes > self._settings.max_batch_bytes:
            raise BudgetExceeded(f"its jobs have over {self._settings.max_batch_bytes:,} bytes")

    def check_cost(self, spec: JobSpec, *, is_computed: bool = False) -> None:
        """Check the cost of training, and of what is computed before anything is stored, unless it is computed."""
        self._point_steps += spec.steps * spec.dataset.points
        if self._point_steps > self._settings.max_point_steps:
            raise BudgetExceeded(f"over {self._settings.max_point_steps:,} point-steps together")
        if is_computed:
            return
        key, work = work_of(spec)
        if key not in self._computed:
            self._computed.add(key)
            self._work += work
        if self._work > MOST_WORK:
            raise BudgetExceeded(
                "too many points in data that differ, whose stability limit is computed before anything is stored; "
                "send fewer jobs at once, or jobs with the same x"
            )
