"""The statement that moves a job, and the event that each move writes."""

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, String, Text, bindparam, delete, func, insert, literal, select, update

from gradyard.jobs.events import EventKind
from gradyard.jobs.states import FINISHED, MOVES, State
from gradyard.store.dialects import now, strip_unstorable
from gradyard.store.lifecycle.dependencies.unblocked import UNBLOCKED
from gradyard.store.summaries import end_summaries
from gradyard.store.tables import IS_QUEUED, IS_RUNNING, Checkpoint, Job, JobEvent
from gradyard.store.these import as_driver_id, driver_id, is_among, told


class Fence(NamedTuple):
    """One attempt of a job under one claim. A write that carries it does nothing once the job is another's.

    The attempt alone would not do: a database that lost its last commits gives the same number to the next claim.
    """

    job_id: UUID
    attempt: int
    claim_id: UUID | None


_is_of_these = is_among(Job.id, "of_jobs")
IS_HELD: tuple[Any, ...] = (
    IS_RUNNING, Job.attempt == bindparam("fenced"), Job.claim_id == bindparam("held_by"),
)  # fmt: skip
"""Whether a job runs in the attempt `fenced` under the claim `held_by`."""


def move(
    connection: Connection, job_id: UUID, to: State, *, actor: str, held: Fence | None = None,
    only_from: State | None = None, unmarked: bool = False, kind: EventKind | None = None, detail: str | None = None,
    **columns: Any,
) -> bool:  # fmt: skip
    """Move one job, if its state and (where given) its fence allow it. Returns whether it moved.

    held: the job must be running in this attempt and under this claim. only_from: narrows the states of MOVES.
    unmarked: leave a job with a cancel mark. kind: needed for a move into the queue; each other state has one kind.

    It is one statement: of two workers, or a worker and a cancel, exactly one wins.
    """
    before: str | None = State.RUNNING if held is not None else only_from
    if before is None:  # read for the event alone; the UPDATE below is the guard
        before = connection.execute(select(Job.state).where(Job.id == job_id)).scalar()
    statement = _guarded(to, held is not None, only_from, unmarked)
    if columns:
        statement = statement.values(columns)
    fenced = {"fenced": held.attempt, "held_by": held.claim_id} if held is not None else {}
    moved = connection.execute(statement, {"of_job": job_id} | fenced).scalar()
    if moved is None:
        return False
    write_events(connection, [job_id], before, to, kind or KIND_OF_STATE[to], actor=actor, detail=detail)
    if to in FINISHED:
        end_summaries(connection, [job_id])
    if to in (State.FAILED, State.CANCELLED):
        delete_checkpoints(connection, [job_id])
    return True


def delete_checkpoints(connection: Connection, job_ids: Iterable[UUID]) -> None:
    """Delete the checkpoints of jobs that no attempt will resume."""
    connection.execute(_checkpoints, {"of_jobs": told(connection.dialect, job_ids)})


_checkpoints = delete(Checkpoint).where(is_among(Checkpoint.job_id, "of_jobs"))


def move_all(
    connection: Connection, fences: Sequence[Fence], to: State, *, actor: str, detail: str | None = None
) -> set[UUID]:
    """Move these attempts, which `still_running` found and locked in this transaction. Returns their job ids."""
    alike: dict[tuple[int, UUID | None], list[UUID]] = {}
    for job_id, attempt, claim_id in fences:
        alike.setdefault((attempt, claim_id), []).append(job_id)
    for (attempt, claim_id), ids in alike.items():
        held = {"fenced": attempt, "held_by": claim_id}
        connection.execute(_guarded_many(to), held | {"of_jobs": told(connection.dialect, ids)})
    moved = {fence.job_id for fence in fences}
    note_moves(connection, moved, to, actor=actor, detail=detail)
    return moved


def note_moves(
    connection: Connection, moved: Collection[UUID], to: State, *, actor: str, detail: str | None = None
) -> None:
    """Write the events of running jobs that have just moved to that state, and complete what is found by it."""
    if moved:
        write_events(connection, moved, State.RUNNING, to, KIND_OF_STATE[to], actor=actor, detail=detail)
        if to in FINISHED:
            end_summaries(connection, moved)


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
    return update(Job).where(_is_of_these, *IS_HELD).values(state=to, **consequences(to))


@cache
def _guarded(to: State, fenced: bool, only_from: State | None, unmarked: bool) -> Any:
    """The UPDATE to that state, built once: building it costs more than executing it."""
    allowed = [Job.id == bindparam("of_job"), Job.state.in_(MOVES[to] & {only_from} if only_from else MOVES[to])]
    if fenced:
        allowed += IS_HELD
    if unmarked:
        allowed.append(Job.cancel_requested_at.is_(None))
    return update(Job).where(*allowed).values(state=to, **consequences(to)).returning(Job.attempt)


class Running(NamedTuple):
    """A job that runs: the step to which it is recorded, and its project."""

    steps_done: int
    project_id: int


def still_running(connection: Connection, fences: Collection[Fence]) -> dict[UUID, Running]:
    """Of these attempts those that still run.

    Their rows stay locked until the transaction ends, in the order of their ids, so that no two packs wait for each
    other.
    """
    dialect = connection.dialect
    wanted = {as_driver_id(dialect, fence.job_id): fence for fence in fences}
    found: dict[UUID, Running] = {}
    for key, attempt, claim_id, *running in connection.execute(_running_of, {"of_jobs": told(dialect, wanted)}):
        fence = wanted[key]
        if (attempt, claim_id) == (fence.attempt, fence.claim_id and as_driver_id(dialect, fence.claim_id)):
            found[fence.job_id] = Running(*running)
    return found


_running_of = (
    select(driver_id(Job.id), Job.attempt, driver_id(Job.claim_id), Job.steps_done, Job.project_id)
    .where(_is_of_these, IS_RUNNING).order_by(Job.id).with_for_update()
)  # fmt: skip


def consequences(to: State) -> dict[str, Any]:
    """The columns that every move to that state sets."""
    if to is State.CANCELLED:
        return {"finished_at": now(), "claim_id": None, **UNBLOCKED}
    if to in FINISHED:
        return {"finished_at": now(), "claim_id": None}
    return {"claim_id": None, "started_at": None} if to is State.QUEUED else {}


# Rows that belong to a job have the job's project, copied by the statement that inserts them.
project_of_job = select(Job.project_id).where(Job.id == bindparam("of_job")).scalar_subquery()

_EVENT = (
    "job_id", "project_id", "sequence", "from_state", "to_state", "kind", "attempt", "actor", "at", "detail",
    "steps_done",
)  # fmt: skip
_next = select(func.coalesce(func.max(JobEvent.sequence), 0) + 1).where(JobEvent.job_id == Job.id).scalar_subquery()
_events = insert(JobEvent).from_select(_EVENT, select(
    Job.id, Job.project_id, _next, bindparam("before", type_=String), bindparam("to", type_=String),
    bindparam("as_kind", type_=String), Job.attempt, bindparam("by", type_=String), now(), bindparam("why", type_=Text),
    Job.steps_done,
).where(_is_of_these))  # fmt: skip


def write_events(
    connection: Connection, job_ids: Iterable[UUID], before: str | None, to: str, kind: EventKind, *, actor: str,
    detail: str | None = None,
) -> None:  # fmt: skip
    """Write an event for each of these jobs after its move, with its present attempt and the next sequence number."""
    why = strip_unstorable(detail) if detail else None
    move = {"before": before, "to": to, "as_kind": kind, "by": actor[:200], "why": why}
    connection.execute(_events, move | {"of_jobs": told(connection.dialect, job_ids)})


def write_first_events(connection: Connection, batch_id: UUID, *, actor: str) -> None:
    """Write the first event of every job of a batch."""
    first = select(
        Job.id, Job.project_id, literal(1), literal(State.QUEUED.value), literal(EventKind.SUBMITTED.value),
        Job.attempt, literal(actor[:200]), now(), Job.steps_done,
    )  # fmt: skip
    columns = ("job_id", "project_id", "sequence", "to_state", "kind", "attempt", "actor", "at", "steps_done")
    connection.execute(insert(JobEvent).from_select(columns, first.where(Job.batch_id == batch_id, IS_QUEUED)))
