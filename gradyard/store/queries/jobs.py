"""Jobs: one by its id, pages of them."""

import base64
import binascii
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    Connection,
    Row,
    Select,
    bindparam,
    exists,
    null,
    select,
)
from sqlalchemy.orm import aliased

from gradyard.jobs.errors import FieldProblem, Gone, NotFound, SpecInvalid
from gradyard.jobs.states import State
from gradyard.store.dialects import now
from gradyard.store.queries.ids import newest_ids
from gradyard.store.tables import Claim, DeletedJob, Job, JobEvent, MetricSummary, Result
from gradyard.store.these import is_among, told

# A subquery, not a join: it is looked up by primary key for the rows of a page alone.
_submitter = (
    select(JobEvent.actor).where(JobEvent.job_id == Job.id, JobEvent.sequence == 1).scalar_subquery()
).label("submitted_by")  # fmt: skip

# So that the figures of metrics are asked for where there are some: to ask takes ten times as long as this.
_has_metrics = exists().where(MetricSummary.job_id == Job.id).correlate(Job).label("has_metrics")

_again = aliased(Job)
_rechecked_by = (
    select(_again.id).where(_again.recheck_of == Job.id).order_by(_again.id.desc()).limit(1).correlate(Job)
    .scalar_subquery()
).label("rechecked_by")  # fmt: skip


def of_project(project_id: int | BindParameter[Any], without: Collection[str] = ()) -> Select[Any]:
    """The jobs of one project, each with its result, its submitter, its newest recheck, and the steps of its claim.

    And with whether it `has_metrics`.

    without: columns that are not read, and are NULL: a spec may have a megabyte of data.
    """
    own = (null().label(each.name) if each.name in without else each for each in Job.__table__.columns)
    columns = [*own, _submitter, _rechecked_by, _has_metrics, Result.coefficients,
               Result.scaled_coefficients, Result.formula, Result.environment,
               Claim.steps_done.label("claim_steps_done"), now().label("read_at")]  # fmt: skip
    joined = select(*columns).outerjoin(Result, Result.job_id == Job.id).outerjoin(Claim, Claim.id == Job.claim_id)
    return joined.where(Job.project_id == project_id)


_job_by_id = of_project(bindparam("project")).where(Job.id == bindparam("job"))


def job_by_id(connection: Connection, project_id: int, job_id: UUID) -> Row[Any]:
    """The job of that id. Raises NotFound where the project has none, Gone where it was deleted."""
    row = connection.execute(_job_by_id, {"project": project_id, "job": job_id}).first()
    if row is None:
        deleted = select(DeletedJob.id).where(DeletedJob.id == job_id, DeletedJob.project_id == project_id)
        if connection.execute(deleted).first() is not None:
            raise Gone(f"the job {job_id} was deleted")
        raise NotFound(f"there is no job {job_id}")
    return row


def jobs_by_ids(connection: Connection, project_id: int, job_ids: Sequence[UUID]) -> list[Row[Any]]:
    """The jobs of those ids, in their order; without those that the project has not."""
    asked = {"project": project_id, "jobs": told(connection.dialect, job_ids)}
    by_id = {row.id: row for row in connection.execute(_jobs_by_ids, asked)}
    return [by_id[each] for each in job_ids if each in by_id]


_jobs_by_ids = of_project(bindparam("project")).where(is_among(Job.id, "jobs"))


_state_of = select(Job.state).where(Job.id == bindparam("job"), Job.project_id == bindparam("project"))


def state_of(connection: Connection, project_id: int, job_id: UUID) -> State | None:
    """The state of the job; None where the project has none of that id."""
    state = connection.execute(_state_of, {"project": project_id, "job": job_id}).scalar()
    return None if state is None else State(state)


def crashes_of(connection: Connection, job_id: UUID) -> int:
    """How often the runner died since the job's newest checkpoint while it trained this job alone.

    0 where the job was deleted meanwhile.
    """
    return connection.execute(select(Job.crashes).where(Job.id == job_id)).scalar() or 0


def warnings_of(connection: Connection, job_id: UUID) -> list[dict[str, str]]:
    """What the sender was warned of when the job was submitted: `pointer` and `message` of each.

    Empty where the job was deleted meanwhile.
    """
    return connection.execute(select(Job.warnings).where(Job.id == job_id)).scalar() or []


@dataclass(frozen=True)
class Page:
    """A page of jobs, and the cursor of the next page (None on the last).

    looked_to: the last job that was looked at for it, where there is a next page and a question was asked.
    """

    jobs: list[Row[Any]]
    next_cursor: str | None
    looked_to: UUID | None = None


def jobs_newest_first(
    connection: Connection, project_id: int, *, limit: int, cursor: str | None = None,
    state: State | None = None, stage: str | None = None, batch: UUID | None = None,
) -> Page:  # fmt: skip
    """A page of jobs, newest first. Raises SpecInvalid where the cursor is not one that this service gave."""
    asked = {"stage": stage, "batch": batch, "before": None if cursor is None else id_in(cursor)}
    given = {name: value for name, value in asked.items() if value is not None}
    values = {"project": project_id, "so_many": limit + 1, **given}
    rows = list(connection.execute(_newest_first(state, frozenset(given)), values))
    more = len(rows) > limit
    return Page(rows[:limit], cursor_after(rows[limit - 1].id) if more else None)


@lru_cache(maxsize=64)  # to build it costs as much as to execute it
def _newest_first(state: State | None, given: frozenset[str]) -> Select[Any]:
    """The jobs of `project`, at most `so_many`, in a state, and of those values that are `given`."""
    values: dict[str, Any] = {name: bindparam(name) for name in given}
    ids = newest_ids(bindparam("project"), bindparam("so_many"), state=state, **values)
    newest = of_project(bindparam("project")).where(Job.id.in_(ids))
    return newest.order_by(Job.id.desc()).limit(bindparam("so_many"))


def cursor_after(last: UUID) -> str:
    """The cursor of the page after the one that ends with this id; opaque to clients."""
    return base64.urlsafe_b64encode(b"1" + last.bytes).decode().rstrip("=")


def id_in(cursor: str) -> UUID:
    """The id in a cursor. Raises SpecInvalid where it is not one that this service gave."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        if raw[:1] != b"1":
            raise ValueError
        return UUID(bytes=raw[1:])
    except (ValueError, binascii.Error):
        raise SpecInvalid([FieldProblem("/cursor", "is not a cursor that this service gave")]) from None
