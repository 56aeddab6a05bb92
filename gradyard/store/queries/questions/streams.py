"""Jobs in the order of a figure that an index has: of each stage and final state one stream, of those that run another.

`summaries` has a figure once the job has ended. Jobs that have begun and not ended are few; `jobs` has theirs. So every
filter by state and stage is served by the same index, and a page reads some rows of each stream. Metrics are alike, but
have no live figures.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, TextualSelect, bindparam, func, select

from gradyard.jobs.questions.order import Order
from gradyard.jobs.states import FINISHED, State
from gradyard.store.queries.questions.figures_in_order import FigureKind, bound_values, figure_kind, merged_streams
from gradyard.store.tables import JobSummary

MOST_STAGES = 50
"""SQLite takes 500 queries in one, and each costs some microseconds."""

Place = tuple[float, UUID]
"""A value, and the job that has it."""


@dataclass(frozen=True)
class Streams:
    """The jobs of a project, of some stages and states, that have a value, in its order.

    Equal ones come in the order of submission, or where the largest value comes first in the reverse.
    """

    project_id: int
    order: Order
    kind: FigureKind
    stages: tuple[str, ...]
    states: tuple[State, ...]

    def first(self, connection: Connection, limit: int, after: Place | None = None) -> list[Row[Any]]:
        """The first of them, with columns job_id and value; after: of those after this place."""
        if not self._there_are:
            return []
        return list(connection.execute(self._statement(connection, after, limit), self._values(after)))

    def first_that(
        self, connection: Connection, wanted: ColumnElement[bool], limit: int, *, among: int, after: Place | None
    ) -> list[Row[Any]]:  # fmt: skip
        """The first of them whose rows of `summaries` are wanted, at most `limit`, among so many that are looked at."""
        if not self._there_are:
            return []
        looked = self._statement(connection, after, among).subquery()
        query = select(looked.c.job_id, looked.c.value).join(JobSummary, JobSummary.job_id == looked.c.job_id)
        by = [each.desc() if self.order.descending else each.asc() for each in (looked.c.value, looked.c.job_id)]
        found: Any = connection.execute(query.where(wanted).order_by(*by).limit(limit), self._values(after))
        return list(found)

    def place_of(self, connection: Connection, number: int, after: Place | None) -> Place | None:
        """The place of the job of this number, from 1, in their order; None where there are fewer."""
        if not self._there_are:
            return None
        one = self._statement(connection, after, 1, skipped=number - 1)
        row = connection.execute(one, self._values(after)).first()
        return None if row is None else (row.value, row.job_id)

    @property
    def _there_are(self) -> bool:
        """Whether any job can be in them: a project without jobs has none, and no job has a metric before its end."""
        return bool(self.stages) and not (self.kind.is_of_metric and FINISHED.isdisjoint(self.states))

    def _statement(
        self, connection: Connection, after: Place | None, so_many: int, *, skipped: int = 0
    ) -> TextualSelect:  # fmt: skip
        return merged_streams(
            self.kind, len(self.stages), self.states, so_many, skipped, descending=self.order.descending,
            after=after is not None, on_sqlite=connection.dialect.name == "sqlite",
        )  # fmt: skip

    def _values(self, after: Place | None) -> dict[str, Any]:
        values = bound_values(self.order.column, self.project_id, self.stages)
        return values if after is None else values | {"after": after[0], "after_id": after[1]}


def streams(
    connection: Connection, project_id: int, order: Order, state: State | None = None, stage: str | None = None
) -> Streams | None:  # fmt: skip
    """The streams of an order; None where no index has it. state, stage: of the jobs with these alone."""
    if (kind := figure_kind(order.column)) is None:
        return None
    stages = (stage,) if stage is not None else stages_of(connection, project_id)
    states = (state,) if state is not None else tuple(State)
    return Streams(project_id, order, kind, stages, states) if len(stages) <= MOST_STAGES else None


def stages_of(connection: Connection, project_id: int) -> tuple[str, ...]:
    """The stages that the project's jobs have, each found by a step in an index."""
    found, last = list[str](), ""
    while (stage := connection.execute(_next_stage, {"project": project_id, "last": last}).scalar()) is not None:
        found.append(stage)
        last = stage
    return tuple(found)


_next_stage = select(func.min(JobSummary.stage)).where(
    JobSummary.project_id == bindparam("project"), JobSummary.stage > bindparam("last")
)
