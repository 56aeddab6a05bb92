"""The first jobs in the order of a column, with their values of it.

Three ways lead to them: where a question is rare, its jobs are found first (`narrowed`); where an index has the order
(`streams`), its first jobs are looked at; where too few of them satisfy the question, and for other orders, all jobs
are read one after another, which takes some tenths of a second for a million.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select, tuple_

from gradyard.jobs.questions.order import Order
from gradyard.jobs.questions.terms import All, Column, Comparison, Kind, Source, Term, in_state
from gradyard.jobs.states import State
from gradyard.store.dialects import in_byte_order
from gradyard.store.queries.questions.conditions import condition, value_of
from gradyard.store.queries.questions.curves import AT_ONCE, pruned, satisfying, slices
from gradyard.store.queries.questions.narrowed import candidates, ends_of
from gradyard.store.queries.questions.streams import Place, Streams, streams
from gradyard.store.tables import JobSummary
from gradyard.store.these import these

LOOKS = (1_000, 12_000)
"""How many of the first jobs of an order are looked at before all are: to fetch a job from its place in the order takes
ten times as long as to read it in its turn."""
MOST_SECONDS = 0.7
_STAGE = Column(Source.FIELD, "stage", Kind.TEXT)


@dataclass(frozen=True)
class Asked:
    """What a list in an order is asked for."""

    project_id: int
    order: Order
    question: Term | None = None
    state: State | None = None
    stage: str | None = None
    batch: UUID | None = None

    @property
    def term(self) -> Term | None:
        """The question with the state and the stage."""
        stage = None if self.stage is None else Comparison(_STAGE, "==", self.stage)
        given = tuple(part for part in (self.question, in_state(self.state), stage) if part is not None)
        return All(given) if given else None


@dataclass(frozen=True)
class Rows:
    """Jobs in order (job_id, value). looked_to: where to go on, if there are fewer than were asked for but not all."""

    rows: list[Row[Any]]
    looked_to: Place | None = None


def rows_in_order(connection: Connection, asked: Asked, so_many: int, after: Place | None) -> Rows:
    """The first jobs; after: of those after this place."""
    project, batch, term = asked.project_id, asked.batch, asked.term
    ordered = streams(connection, project, asked.order, asked.state, asked.stage) if batch is None else None
    if ordered is not None and asked.question is None:
        return Rows(ordered.first(connection, so_many, after))
    wanted: list[Any] = [] if batch is None else [JobSummary.batch_id == batch]
    if term is not None and batch is None:
        few = candidates(connection, project, term)
        if few is None and ordered is not None:
            found = _among_the_first(connection, ordered, term, so_many, after)
            if found is not None:
                return found
        wanted += [] if few is None else [JobSummary.job_id.in_(these(connection, few))]
    every_job_of = project if batch is None and not wanted else None
    wanted += [] if term is None else [condition(term, every_job_of)]
    return Rows(_sorted(connection, asked, wanted, so_many, after))


def rows_by_curves(connection: Connection, asked: Asked, so_many: int, after: Place | None) -> Rows:
    """The first jobs that satisfy a question about curves, which are read of some jobs after others."""
    assert asked.question is not None
    began, found = time.monotonic(), list[Row[Any]]()
    while True:
        looked = rows_in_order(connection, replace(asked, question=pruned(asked.question)), AT_ONCE, after)
        rows = {row.job_id: row for row in looked.rows}
        for some in slices(connection, list(rows)):
            satisfied = satisfying(connection, asked.project_id, asked.question, some)
            found += [rows[job_id] for job_id in some if job_id in satisfied]
            after = (rows[some[-1]].value, some[-1])
            if len(found) >= so_many:
                return Rows(found[:so_many])
            if time.monotonic() - began > MOST_SECONDS:
                return Rows(found, after)
        if len(looked.rows) < AT_ONCE:
            return Rows(found)


def _among_the_first(
    connection: Connection, ordered: Streams, term: Term, so_many: int, after: Place | None
) -> Rows | None:  # fmt: skip
    """The first jobs of an order that satisfy a question; None where too few of them do."""
    start, end = ends_of(term, ordered.order)
    after, wanted, found = start if after is None else after, condition(term), list[Row[Any]]()
    for number, look in enumerate(LOOKS, 1):
        found += ordered.first_that(connection, wanted, so_many - len(found), among=look, after=after)
        if len(found) == so_many:
            return Rows(found)
        if number == len(LOOKS) and end is None:
            break
        after = ordered.place_of(connection, look, after)
        if after is None or _is_beyond(after[0], end, ordered.order):
            return Rows(found)
    return None


def _is_beyond(value: float, end: float | None, order: Order) -> bool:
    return end is not None and (value < end if order.descending else value > end)


def _sorted(
    connection: Connection, asked: Asked, wanted: Sequence[Any], so_many: int, after: Place | None
) -> list[Row[Any]]:  # fmt: skip
    value, descending = value_of(asked.order.column), asked.order.descending
    if asked.order.column.kind is Kind.TEXT and not asked.order.column.is_id:
        value = in_byte_order(value)
    # `+ 0`: an index of the project would fetch nearly every row from its place.
    mine = JobSummary.project_id + 0 == asked.project_id, value.is_not(None), *wanted
    query = select(JobSummary.job_id, value.label("value")).where(*mine)
    if after is not None:
        row, place = tuple_(value, JobSummary.job_id), tuple_(*after)
        query = query.where(row < place if descending else row > place)
    by = [each.desc() if descending else each.asc() for each in (value, JobSummary.job_id)]
    return list(connection.execute(query.order_by(*by).limit(so_many)))
