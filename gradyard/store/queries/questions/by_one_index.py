"""Questions that one index answers, the newest jobs first: those of a tag, and those of a name."""

from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, bindparam, select

from gradyard.jobs.questions.terms import Column, Comparison, Source, Term
from gradyard.store.queries.questions.narrowed import parts_of
from gradyard.store.tables import JobSummary, JobTag


def newest_by_one_index(
    connection: Connection, project_id: int, term: Term, limit: int, before: UUID | None
) -> list[UUID] | None:  # fmt: skip
    """The newest jobs that satisfy the question, at most `limit`; None where no index has just these in their order.

    before: with smaller ids. Elsewhere every job of a rare tag is looked at and sorted, and for a frequent one windows
    of all jobs.
    """
    match list(parts_of(term)):
        case [Comparison(Column(Source.TAG, key), "==", str(value))]:
            query, values = _of_tag(before is not None), {"key": key, "value": value}
        case [Comparison(Column(Source.FIELD, "name"), "==", str(value))]:
            query, values = _of_name(before is not None), {"name": value}
        case _:
            return None
    asked: dict[str, Any] = {"project": project_id, "so_many": limit, **values}
    return list(connection.execute(query, asked if before is None else asked | {"before": before}).scalars())


@cache
def _of_tag(has_before: bool) -> Select[Any]:
    having = JobTag.key == bindparam("key"), JobTag.value == bindparam("value")
    return _newest(JobTag, has_before, *having)


@cache
def _of_name(has_before: bool) -> Select[Any]:
    return _newest(JobSummary, has_before, JobSummary.name == bindparam("name"))


def _newest(table: Any, has_before: bool, *wanted: Any) -> Select[Any]:
    query = select(table.job_id).where(table.project_id == bindparam("project"), *wanted)
    query = query.where(table.job_id < bindparam("before")) if has_before else query
    return query.order_by(table.job_id.desc()).limit(bindparam("so_many"))
