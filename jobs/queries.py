"""Every read, named as the question that it answers. A project's rows are filtered here and nowhere else."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import BindParameter, Connection, Row, Select, bindparam, func, or_, select

from jobs.database import now
from jobs.errors import FieldProblem, Gone, NotFound, SpecInvalid
from jobs.states import State
from jobs.tables import AttemptLog, Checkpoint, Claim, DeletedJob, Job, JobEvent, LossChunk, Result, Worker

STALE_WORKERS_SHOWN_SECONDS = 600.0


def _of(project_id: int | BindParameter[Any]) -> Select[Any]:
    """The jobs of one project, each with its result and with what its claim has done so far."""
    columns = [*Job.__table__.columns, Result.coefficients, Result.formula, Result.environment,
               Claim.steps_done.label("claim_steps_done"), now().label("read_at")]  # fmt: skip
    joined = select(*columns).outerjoin(Result, Result.job_id == Job.id).outerjoin(Claim, Claim.id == Job.claim_id)
    return joined.where(Job.project_id == project_id)


_job_by_id = _of(bindparam("project")).where(Job.id == bindparam("job"))


def job_by_id(connection: Connection, project_id: int, job_id: UUID) -> Row[Any]:
    """The job; NotFound where the project has none of that id, Gone where it had one."""
    row = connection.execute(_job_by_id, {"project": project_id, "job": job_id}).first()
    if row is None:
        deleted = select(DeletedJob.id).where(DeletedJob.id == job_id, DeletedJob.project_id == project_id)
        if connection.execute(deleted).first() is not None:
            raise Gone(f"the job {job_id} was deleted")
        raise NotFound(f"there is no job {job_id}")
    return row


_state_of = select(Job.state).where(Job.id == bindparam("job"))


def state_of(connection: Connection, job_id: UUID) -> State | None:
    """Where the job stands; None where there is none."""
    state = connection.execute(_state_of, {"job": job_id}).scalar()
    return None if state is None else State(state)


def crashes_of(connection: Connection, job_id: UUID) -> int:
    """How often its runner died since its newest checkpoint, while it was alone."""
    return int(connection.execute(select(Job.crashes).where(Job.id == job_id)).scalar_one())


@dataclass(frozen=True)
class Page:
    """Some jobs, and the cursor of those that follow (None at the end)."""

    jobs: list[Row[Any]]
    next_cursor: str | None


def jobs_newest_first(
    connection: Connection, project_id: int, *, limit: int, cursor: str | None = None,
    state: State | None = None, stage: str | None = None,
) -> Page:  # fmt: skip
    """A page of jobs, newest first; SpecInvalid where the cursor is none of ours."""
    query = _of(project_id).order_by(Job.id.desc()).limit(limit + 1)
    if state is not None:
        query = query.where(Job.state == state)
    if stage is not None:
        query = query.where(Job.stage == stage)
    if cursor is not None:
        query = query.where(Job.id < _id_in(cursor))
    rows = list(connection.execute(query))
    more = len(rows) > limit
    return Page(rows[:limit], _cursor_after(rows[limit - 1].id) if more else None)


def _cursor_after(job_id: UUID) -> str:
    return base64.urlsafe_b64encode(b"1" + job_id.bytes).decode().rstrip("=")


def _id_in(cursor: str) -> UUID:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        if raw[:1] != b"1":
            raise ValueError
        return UUID(bytes=raw[1:])
    except (ValueError, binascii.Error):
        raise SpecInvalid([FieldProblem("/cursor", "is not a cursor that this service gave")]) from None


def loss_curve(connection: Connection, project_id: int, job_id: UUID, dtype: str) -> np.ndarray:
    """Every stored loss of the job, shape (steps_done,), in its own dtype, little-endian."""
    query = select(LossChunk.losses).where(LossChunk.job_id == job_id, LossChunk.project_id == project_id)
    query = query.order_by(LossChunk.start_step)
    raw = b"".join(connection.execute(query).scalars())
    return np.frombuffer(raw, dtype=np.dtype(dtype).newbyteorder("<"))


def events_of(connection: Connection, project_id: int, job_id: UUID) -> list[Row[Any]]:
    """The moves of a job, the oldest first."""
    query = select(*JobEvent.__table__.columns).where(JobEvent.job_id == job_id, JobEvent.project_id == project_id)
    query = query.order_by(JobEvent.sequence)
    return list(connection.execute(query))


def logs_of(connection: Connection, project_id: int, job_id: UUID) -> list[Row[Any]]:
    """What was said in each attempt that said something: attempt, text, truncated."""
    columns = select(AttemptLog.attempt, AttemptLog.text, AttemptLog.truncated)
    mine = columns.where(AttemptLog.job_id == job_id, AttemptLog.project_id == project_id)
    return list(connection.execute(mine.order_by(AttemptLog.attempt)))


def checkpoints_of(connection: Connection, job_id: UUID) -> list[Row[Any]]:
    """The checkpoints of a job, the newest first."""
    query = select(*Checkpoint.__table__.columns).where(Checkpoint.job_id == job_id).order_by(Checkpoint.step.desc())
    return list(connection.execute(query))


def cancelled_members(connection: Connection, claim_id: UUID) -> list[UUID]:
    """The members of a claim that someone asked to cancel."""
    marked = (Job.claim_id == claim_id, Job.state == State.RUNNING, Job.cancel_requested_at.is_not(None))
    return list(connection.execute(select(Job.id).where(*marked)).scalars())


def is_held(connection: Connection, claim_id: UUID) -> bool:
    """Whether the claim still exists."""
    return connection.execute(select(Claim.id).where(Claim.id == claim_id)).first() is not None


def workers_seen(connection: Connection) -> list[Row[Any]]:
    """Live workers, and those that left in the last minutes; each with whether it lives and its claim."""
    return list(connection.execute(_workers_seen))


_recent = or_(Worker.lease_until > now() - STALE_WORKERS_SHOWN_SECONDS, Claim.id.is_not(None))
_workers_seen = (
    select(
        *Worker.__table__.columns, (Worker.lease_until > now()).label("alive"), Claim.id.label("claim_id"), Claim.width,
        Claim.steps_done,
    ).outerjoin(Claim, Claim.worker_id == Worker.id).where(_recent)
    .order_by(Worker.host, Worker.slot, Worker.started_at)
)  # fmt: skip


def members_of(connection: Connection, project_id: int, claim_ids: list[UUID]) -> dict[UUID, list[UUID]]:
    """The running jobs of this project in each of these claims."""
    query = (
        select(Job.claim_id, Job.id).where(Job.claim_id.in_(claim_ids), Job.project_id == project_id).order_by(Job.id)
    )
    members: dict[UUID, list[UUID]] = {claim_id: [] for claim_id in claim_ids}
    for claim_id, job_id in connection.execute(query):
        if claim_id is not None:
            members[claim_id].append(job_id)
    return members


def _pairs(connection: Connection, query: Any) -> list[tuple[str, int]]:
    return [(name, count) for name, count in connection.execute(query)]


def live_slots(connection: Connection) -> dict[str, int]:
    """How many live workers each queue has."""
    query = select(Worker.queue, func.count()).where(Worker.lease_until > now()).group_by(Worker.queue)
    return dict(_pairs(connection, query))


def idle_slots(connection: Connection) -> dict[str, int]:
    """How many live workers of each queue hold no claim."""
    busy = select(Claim.id).where(Claim.worker_id == Worker.id).exists()
    query = select(Worker.queue, func.count()).where(Worker.lease_until > now(), ~busy).group_by(Worker.queue)
    return dict(_pairs(connection, query))


@dataclass(frozen=True)
class QueueDepth:
    """How many jobs of a queue wait for a worker, and how long the oldest has."""

    queue: str
    depth: int
    oldest_wait_seconds: float


def queue_depths(connection: Connection, project_id: int) -> list[QueueDepth]:
    """Of each queue, what waits in it."""
    waited = (now() - func.min(Job.submitted_at)).label("waited")
    query = select(Job.queue, func.count(), waited).where(Job.state == State.QUEUED, Job.project_id == project_id)
    found = {
        queue: QueueDepth(queue, depth, max(0.0, wait))
        for queue, depth, wait in connection.execute(query.group_by(Job.queue))
    }
    return [found.get(queue, QueueDepth(queue, 0, 0.0)) for queue in ("cpu", "gpu", "any")]


def position_of(connection: Connection, job: Row[Any]) -> int:
    """How many queued jobs of its queue come before this one, plus one."""
    earlier = or_(
        Job.priority > job.priority,
        (Job.priority == job.priority) & (Job.rank < job.rank),
        (Job.priority == job.priority) & (Job.rank == job.rank) & (Job.id < job.id),
    )
    before = select(func.count()).where(Job.state == State.QUEUED, Job.queue == job.queue, earlier)
    return int(connection.execute(before).scalar_one()) + 1


def counts_by_state(connection: Connection, project_id: int) -> dict[str, int]:
    """How many jobs the project has in each state."""
    query = select(Job.state, func.count()).where(Job.project_id == project_id).group_by(Job.state)
    found = dict(_pairs(connection, query))
    return {state: found.get(state, 0) for state in State}
