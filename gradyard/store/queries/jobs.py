"""Jobs: one by its id, pages of them."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    Connection,
    Row,
    Select,
    bindparam,
    select,
)

from gradyard.jobs.errors import FieldProblem, Gone, NotFound, SpecInvalid
from gradyard.jobs.states import State
from gradyard.store.dialects import now
from gradyard.store.queries.ids import newest_ids
from gradyard.store.tables import Claim, DeletedJob, Job, Result


def of_project(project_id: int | BindParameter[Any]) -> Select[Any]:
    """The jobs of one project, each with its result and the steps that its claim has done so far."""
    columns = [*Job.__table__.columns, Result.coefficients, Result.scaled_coefficients, Result.formula,
               Result.environment, Claim.steps_done.label("claim_steps_done"), now().label("read_at")]  # fmt: skip
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


_state_of = select(Job.state).where(Job.id == bindparam("job"), Job.project_id == bindparam("project"))


def state_of(connection: Connection, project_id: int, job_id: UUID) -> State | None:
    """The state of the job; None where the project has none of that id."""
    state = connection.execute(_state_of, {"project": project_id, "job": job_id}).scalar()
    return None if state is None else State(state)


def crashes_of(connection: Connection, job_id: UUID) -> int:
    """How often the runner died since the job's newest checkpoint while it trained this job alone."""
    return int(connection.execute(select(Job.crashes).where(Job.id == job_id)).scalar_one())


@dataclass(frozen=True)
class Page:
    """A page of jobs, and the cursor of the next page (None on the last)."""

    jobs: list[Row[Any]]
    next_cursor: str | None


def jobs_newest_first(
    connection: Connection, project_id: int, *, limit: int, cursor: str | None = None,
    state: State | None = None, stage: str | None = None, batch: UUID | None = None,
) -> Page:  # fmt: skip
    """A page of jobs, newest first. Raises SpecInvalid where the cursor is not one that this service gave."""
    before = None if cursor is None else id_in(cursor)
    ids = newest_ids(project_id, limit + 1, state=state, stage=stage, batch=batch, before=before)
    query = of_project(project_id).where(Job.id.in_(ids)).order_by(Job.id.desc()).limit(limit + 1)
    rows = list(connection.execute(query))
    more = len(rows) > limit
    return Page(rows[:limit], cursor_after(rows[limit - 1].id) if more else None)


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
