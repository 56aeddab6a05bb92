"""Pages of the jobs that satisfy a question, the newest first.

A question that few jobs satisfy may have to look at all of them. So a page looks at the jobs in windows, the newest
ones first, and ends after a second with what it has found: the next one goes on from there.
"""

import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, bindparam, select

from gradyard.jobs.questions.terms import All, Term, in_state
from gradyard.jobs.states import State
from gradyard.store.queries.jobs import Page, cursor_after, id_in, jobs_by_ids
from gradyard.store.queries.questions.by_one_index import newest_by_one_index
from gradyard.store.queries.questions.conditions import condition
from gradyard.store.queries.questions.curves import AT_ONCE, asks_for_curves, pruned, satisfying, slices
from gradyard.store.queries.questions.live_metrics import with_live_metrics
from gradyard.store.queries.questions.narrowed import candidates
from gradyard.store.tables import JobSummary
from gradyard.store.these import DriverId, as_driver_id, these

FIRST_WINDOW, LARGEST_WINDOW = 2_000, 64_000  # jobs
MOST_SECONDS = 0.8


@dataclass(frozen=True)
class Found:
    """Ids of jobs, the newest first; `looked_to`: the last id that was looked at, None where all were."""

    ids: list[UUID]
    looked_to: UUID | None


def jobs_asked(
    connection: Connection, project_id: int, question: Term, *, limit: int, cursor: str | None = None,
    state: State | None = None, stage: str | None = None, batch: UUID | None = None,
) -> Page:  # fmt: skip
    """A page of jobs that satisfy a question, newest first. A page that is not the last may have fewer than `limit`.

    Raises SpecInvalid where the cursor is not one that this service gave.
    """
    before = None if cursor is None else id_in(cursor)
    if (of_state := in_state(state)) is not None:
        question = All((of_state, question))
    found = ids_asked(connection, project_id, question, limit=limit, before=before, stage=stage, batch=batch)
    rows = jobs_by_ids(connection, project_id, found.ids)
    return Page(rows, None if found.looked_to is None else cursor_after(found.looked_to), found.looked_to)


def ids_asked(
    connection: Connection, project_id: int, term: Term, *, limit: int, before: UUID | None = None,
    stage: str | None = None, batch: UUID | None = None,
) -> Found:  # fmt: skip
    """Jobs of the project that satisfy a question, at most `limit`; before: with smaller ids.

    Fewer than `limit` were found, and not all were looked at, where a second had passed.
    """
    term = with_live_metrics(connection, project_id, batch, term)
    if asks_for_curves(term):
        return _by_curves(connection, project_id, term, limit, before, stage, batch)
    if stage is None and batch is None:
        newest = newest_by_one_index(connection, project_id, term, limit, before)
        if newest is not None:
            return _found(newest, limit)
    # `+ 0`: a window is read by the primary key, in order. An index of the project would read all of its jobs.
    wanted = [JobSummary.project_id + 0 == project_id, condition(term)]
    wanted += [JobSummary.stage == stage] if stage is not None else []
    if batch is not None:  # an index has its jobs, and there are at most 100,000
        wanted.append(JobSummary.batch_id == batch)
        wanted += [JobSummary.job_id < before] if before is not None else []
        ids = _ids(connection, wanted, limit)
        return _found(ids, limit)
    if (few := candidates(connection, project_id, term)) is not None:
        return _among(connection, wanted, few, limit, before)
    return _in_windows(connection, wanted, limit, before)


def _by_curves(
    connection: Connection, project_id: int, term: Term, limit: int, before: UUID | None, stage: str | None,
    batch: UUID | None,
) -> Found:  # fmt: skip
    began, found, without = time.monotonic(), list[UUID](), pruned(term)
    while True:
        looked = ids_asked(connection, project_id, without, limit=AT_ONCE, before=before, stage=stage, batch=batch)
        for some in slices(connection, looked.ids):
            satisfied = satisfying(connection, project_id, term, some)
            found += [job_id for job_id in some if job_id in satisfied]
            if len(found) >= limit:
                return Found(found[:limit], found[limit - 1])
            if time.monotonic() - began > MOST_SECONDS:
                return Found(found, some[-1])
        before = looked.looked_to
        if before is None or time.monotonic() - began > MOST_SECONDS:
            return Found(found, before)


def _in_windows(
    connection: Connection, wanted: list[ColumnElement[bool]], limit: int, before: UUID | None
) -> Found:  # fmt: skip
    began, size, found = time.monotonic(), FIRST_WINDOW, list[UUID]()
    while True:
        end = connection.execute(_end_of_window(before), {"so_many": size} | _from(before)).scalar()
        window = list(wanted)
        window += [JobSummary.job_id < before] if before is not None else []
        window += [JobSummary.job_id >= end] if end is not None else []
        found += _ids(connection, window, limit - len(found))
        if len(found) == limit:
            return Found(found, found[-1])
        if end is None:
            return Found(found, None)
        if time.monotonic() - began > MOST_SECONDS:
            return Found(found, end)
        before, size = end, min(2 * size, LARGEST_WINDOW)


def _among(
    connection: Connection, wanted: list[ColumnElement[bool]], few: list[DriverId], limit: int, before: UUID | None
) -> Found:  # fmt: skip
    """Of some jobs, the newest ones first: where most of them satisfy the question, a page looks at few."""
    end: Any = None if before is None else as_driver_id(connection.dialect, before)  # of the same type as `few`
    left, size, found = sorted({one for one in few if end is None or one < end}), 2 * limit, list[UUID]()
    while left and len(found) < limit:
        some, size = left[-size:], 2 * size
        del left[-len(some) :]
        found += _ids(connection, [*wanted, JobSummary.job_id.in_(these(connection, some))], limit - len(found))
    return _found(found, limit)


def _found(ids: list[UUID], limit: int) -> Found:
    """The page of these ids; where fewer than `limit` came, all jobs were looked at."""
    return Found(ids, ids[-1] if len(ids) == limit else None)


def _ids(connection: Connection, wanted: list[ColumnElement[bool]], limit: int) -> list[UUID]:
    query = select(JobSummary.job_id).where(*wanted).order_by(JobSummary.job_id.desc()).limit(limit)
    return list(connection.execute(query).scalars())


def _from(before: UUID | None) -> dict[str, Any]:
    return {} if before is None else {"before": before}


def _end_of_window(before: UUID | None) -> Select[Any]:
    """The id of the job that is so many jobs older, of all projects: by the primary key alone."""
    older = select(JobSummary.job_id).order_by(JobSummary.job_id.desc()).limit(1).offset(bindparam("so_many"))
    return older if before is None else older.where(JobSummary.job_id < bindparam("before"))
