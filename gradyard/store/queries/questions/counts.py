"""How many jobs satisfy a question, and the rows of `summaries` in which to look for them."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, func, select, text

from gradyard.jobs.questions.terms import All, Column, Comparison, Kind, Source, Term, in_state
from gradyard.jobs.states import State
from gradyard.store.queries.questions.conditions import condition
from gradyard.store.queries.questions.live_metrics import with_live_metrics
from gradyard.store.queries.questions.narrowed import candidates
from gradyard.store.tables import JobSummary
from gradyard.store.these import these

READ_WHOLE_FROM = 8
"""SQLite reads all of `summaries` for a project that has one row of so many, or more: in order, not row by row."""


def count_asked(
    connection: Connection, project_id: int, question: Term | None = None, *, state: State | None = None,
    stage: str | None = None, batch: UUID | None = None,
) -> int:  # fmt: skip
    """How many jobs of the project there are, or satisfy a question; of a state, a stage or a batch."""
    wanted = rows_asked(connection, project_id, question, state=state, stage=stage, batch=batch)
    return int(connection.execute(select(func.count()).select_from(JobSummary).where(*wanted)).scalar_one())


def rows_asked(
    connection: Connection, project_id: int, question: Term | None, *, state: State | None = None,
    stage: str | None = None, batch: UUID | None = None,
) -> list[ColumnElement[bool]]:  # fmt: skip
    """The conditions of those jobs in `summaries`, in the form that the database finds soonest.

    batch: one of this project; an index has its jobs.
    """
    asked = _all_of(question, in_state(state), None if stage is None else Comparison(_STAGE, "==", stage))
    if batch is not None:
        live = asked and with_live_metrics(connection, project_id, batch, asked)
        return [JobSummary.batch_id == batch, *([] if live is None else [condition(live)])]
    if asked is None:
        return [_of_project(connection, project_id)]
    if (few := candidates(connection, project_id, asked)) is not None:
        mine = JobSummary.project_id + 0 == project_id, JobSummary.job_id.in_(these(connection, few))
        return [*mine, condition(asked)]
    return [_of_project(connection, project_id), condition(asked, project_id)]


_STAGE = Column(Source.FIELD, "stage", Kind.TEXT)


def _all_of(*parts: Term | None) -> Term | None:
    given = tuple(part for part in parts if part is not None)
    return All(given) if given else None


def _of_project(connection: Connection, project_id: int) -> ColumnElement[bool]:
    mine: Any = JobSummary.project_id == project_id
    if connection.dialect.name != "sqlite":
        return mine
    rows = connection.execute(_newest_row).scalar() or 0
    some = select(JobSummary.project_id).where(mine).limit(rows // READ_WHOLE_FROM + 1)
    has_many = connection.execute(select(func.count()).select_from(some.subquery())).scalar_one() * READ_WHOLE_FROM
    return JobSummary.project_id + 0 == project_id if has_many > rows else mine


_newest_row = text("SELECT max(rowid) FROM summaries")
