"""The statement that moves a job, and the event that each move writes."""

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, String, Text, bindparam, func, insert, literal, select, update

from gradyard.jobs.events import EventKind
from gradyard.jobs.states import FINISHED, MOVES, State
from gradyard.store.dialects import now, strip_unstorable
from gradyard.store.tables import Job, JobEvent

_these: Any = bindparam("of_jobs", expanding=True)


def move(
    connection: Connection, job_id: UUID, to: State, *, actor: str, attempt: int | None = None,
    only_from: State | None = None, unmarked: bool = False, kind: EventKind | None = None, detail: str | None = None,
    **columns: Any,
) -> bool:  # fmt: skip
    """Move one job, if its state and (where given) its attempt allow it. Returns whether it moved.

    attempt: the fence; the job must be running in this attempt. only_from: narrows the states of MOVES. unmarked: leave
    a job with a cancel mark. kind: needed for a move into the queue; each other state has one kind.

    It is one statement: of two workers, or a worker and a cancel, exactly one wins.
    """
    before: str | None = State.RUNNING if attempt is not None else only_from
    if before is None:  # read for the event alone; the UPDATE below is the guard
        before = connection.execute(select(Job.state).where(Job.id == job_id)).scalar()
    statement = _guarded(to, attempt is not None, only_from, unmarked)
    if columns:
        statement = statement.values(columns)
    moved = connection.execute(statement, {"of_job": job_id, "fenced": attempt}).scalar()
    if moved is None:
        return False
    write_events(connection, [job_id], before, to, kind or KIND_OF_STATE[to], actor=actor, detail=detail)
    return True


def move_all(
    connection: Connection, fences: Sequence[tuple[UUID, int]], to: State, *, actor: str, detail: str | None = None
) -> set[UUID]:
    """Move these attempts, which `still_running` found and locked in this transaction. Returns their job ids."""
    of_attempt: dict[int, list[UUID]] = {}
    for job_id, attempt in fences:
        of_attempt.setdefault(attempt, []).append(job_id)
    for attempt, ids in of_attempt.items():
        connection.execute(_guarded_many(to), {"of_jobs": ids, "fenced": attempt})
        write_events(connection, ids, State.RUNNING, to, KIND_OF_STATE[to], actor=actor, detail=detail)
    return {job_id for job_id, _ in fences}


KIND_OF_STATE = {
    State.RUNNING: EventKind.CLAIMED,
    State.SUCCEEDED: EventKind.SUCCEEDED,
    State.FAILED: EventKind.FAILED,
    State.CANCELLED: EventKind.CANCELLED,
}
"""The kind of a move to this state. A move into the queue has several possible kinds: its caller gives it."""


# One statement for many rows: SQLite copies each page that a statement changes, once a statement.
@cache
def _guarded_many(to: State) -> Any:
    fence = (Job.id.in_(_these), Job.attempt == bindparam("fenced"), Job.state == State.RUNNING)
    return update(Job).where(*fence).values(state=to, **_consequences(to))


@cache
def _guarded(to: State, fenced: bool, only_from: State | None, unmarked: bool) -> Any:
    """The UPDATE to that state, built once: building it costs more than executing it."""
    allowed = [Job.id == bindparam("of_job"), Job.state.in_(MOVES[to] & {only_from} if only_from else MOVES[to])]
    if fenced:
        allowed += [Job.attempt == bindparam("fenced"), Job.state == State.RUNNING]
    if unmarked:
        allowed.append(Job.cancel_requested_at.is_(None))
    return update(Job).where(*allowed).values(state=to, **_consequences(to)).returning(Job.attempt)


def still_running(connection: Connection, fences: Collection[tuple[UUID, int]]) -> set[UUID]:
    """The jobs of these attempts (job, attempt) that still run. Their rows stay locked until the transaction ends.

    Rows are locked in the order of their ids, so that no two packs wait for each other.
    """
    wanted = dict(fences)
    rows = connection.execute(_running_of, {"of_jobs": list(wanted)})
    return {row.id for row in rows if row.attempt == wanted[row.id]}


_running_of = (
    select(Job.id, Job.attempt).where(Job.id.in_(_these), Job.state == State.RUNNING).order_by(Job.id).with_for_update()
)


def _consequences(to: State) -> dict[str, Any]:
    """The columns that every move to that state sets."""
    if to in FINISHED:
        return {"finished_at": now(), "claim_id": None}
    return {"claim_id": None, "started_at": None} if to is State.QUEUED else {}


# Rows that belong to a job have the job's project, copied by the statement that inserts them.
project_of_job = select(Job.project_id).where(Job.id == bindparam("of_job")).scalar_subquery()

_EVENT = ("job_id", "project_id", "sequence", "from_state", "to_state", "kind", "attempt", "actor", "at", "detail")
_next = select(func.coalesce(func.max(JobEvent.sequence), 0) + 1).where(JobEvent.job_id == Job.id).scalar_subquery()
_events = insert(JobEvent).from_select(_EVENT, select(
    Job.id, Job.project_id, _next, bindparam("before", type_=String), bindparam("to", type_=String),
    bindparam("as_kind", type_=String), Job.attempt, bindparam("by", type_=String), now(), bindparam("why", type_=Text),
).where(Job.id.in_(_these)))  # fmt: skip


def write_events(
    connection: Connection, job_ids: Iterable[UUID], before: str | None, to: str, kind: EventKind, *, actor: str,
    detail: str | None = None,
) -> None:  # fmt: skip
    """Write an event for each of these jobs after its move, with its present attempt and the next sequence number."""
    move = {
        "before": before,
        "to": to,
        "as_kind": kind,
        "by": actor[:200],
        "why": strip_unstorable(detail) if detail else None,
    }
    connection.execute(_events, {"of_jobs": list(job_ids), **move})


def write_first_events(connection: Connection, batch_id: UUID, *, actor: str) -> None:
    """Write the first event of every job of a batch."""
    first = select(
        Job.id, Job.project_id, literal(1), literal(State.QUEUED.value), literal(EventKind.SUBMITTED.value),
        Job.attempt, literal(actor[:200]), now(),
    )  # fmt: skip
    columns = ("job_id", "project_id", "sequence", "to_state", "kind", "attempt", "actor", "at")
    connection.execute(insert(JobEvent).from_select(columns, first.where(Job.batch_id == batch_id)))
