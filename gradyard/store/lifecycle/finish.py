"""An attempt ends: with a result, with a reason, or back in the queue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import Connection, and_, bindparam, case, delete, func, select

from gradyard.jobs.events import EventKind
from gradyard.jobs.fleet import Queue
from gradyard.jobs.states import Reason, State
from gradyard.store.bulk import insert_rows
from gradyard.store.dialects import insert_or_ignore, now, strip_unstorable
from gradyard.store.lifecycle.moves import IS_HELD, Fence, move, move_all, note_moves, still_running
from gradyard.store.lifecycle.record import Recorded, little_endian, store_figures
from gradyard.store.tables import IS_RUNNING, Artifact, AttemptLog, Claim, Job, Result


@dataclass(frozen=True)
class Outcome:
    """The result of a job that trained to its end; `arrays` by name, where its trainer has any.

    `scaled_coefficients` are those of scaled data, where it was trained on such.
    """

    coefficients: dict[str, float] | None
    formula: str | None
    environment: dict[str, Any]
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    scaled_coefficients: dict[str, float] | None = None


@dataclass(frozen=True)
class Ended:
    """An attempt that trained to its end, and its result."""

    held: Fence
    outcome: Outcome

    @property
    def job_id(self) -> UUID:
        """The job."""
        return self.held.job_id


def keep_log(connection: Connection, held: Fence, text: str, *, truncated: bool) -> bool:
    """Store the log of an attempt, once. Call it before the move that ends the attempt. False: the job has moved on."""
    fenced = {"of_job": held.job_id, "fenced": held.attempt, "held_by": held.claim_id}
    project_id = connection.execute(_project_of_held, fenced).scalar()
    if project_id is None:
        return False
    row = {
        "job_id": held.job_id,
        "project_id": project_id,
        "attempt": held.attempt,
        "text": text,
        "truncated": truncated,
    }
    connection.execute(insert_or_ignore(connection, AttemptLog), row)
    return True


_project_of_held = select(Job.project_id).where(Job.id == bindparam("of_job"), *IS_HELD)


def succeed(connection: Connection, held: Fence, outcome: Outcome, *, actor: str) -> bool:
    """Store the result of a job that is done. Returns False, and stores nothing, where the job has moved on."""
    return bool(succeed_all(connection, [Ended(held, outcome)], actor=actor))


def succeed_all(
    connection: Connection, ended: Sequence[Ended], *, actor: str, recorded: Recorded | None = None
) -> set[UUID]:
    """Store the results of a pack. Returns the jobs that succeeded: those that have not moved on.

    recorded: what `record_all` stored and locked in this transaction, where these jobs were among its `ending`.
    """
    if recorded is None:
        locked = still_running(connection, [each.held for each in ended])
        running = {job_id: found.project_id for job_id, found in locked.items()}
    else:
        running = recorded.stored
    ended = [each for each in ended if each.job_id in running]
    if not ended:
        return set()
    if recorded is None:
        move_all(connection, [each.held for each in ended], State.SUCCEEDED, actor=actor)
    else:
        store_figures(connection, recorded.ending, moving_to=State.SUCCEEDED)
        note_moves(connection, [each.job_id for each in ended], State.SUCCEEDED, actor=actor)
    _store_results(connection, ended, running)
    return {each.job_id for each in ended}


def _store_results(connection: Connection, ended: Sequence[Ended], running: Mapping[UUID, int]) -> None:
    insert_rows(connection, Result, [
        {"job_id": each.job_id, "project_id": running[each.job_id], "attempt": each.held.attempt,
         "coefficients": each.outcome.coefficients or {}, "scaled_coefficients": each.outcome.scaled_coefficients,
         "formula": each.outcome.formula, "environment": each.outcome.environment} for each in ended
    ])  # fmt: skip
    insert_rows(connection, Artifact, [
        {"job_id": each.job_id, "project_id": running[each.job_id], "name": name, "dtype": array.dtype.name,
         "shape": list(array.shape), "content": little_endian(array)}
        for each in ended for name, array in each.outcome.arrays.items()
    ])  # fmt: skip


def fail(connection: Connection, held: Fence, reason: Reason, message: str, *, actor: str, **columns: Any) -> bool:
    """Let the job fail, and delete its checkpoints. Returns False where it has moved on."""
    message = strip_unstorable(message)
    columns |= {"reason": reason, "message": message}
    detail = f"{reason}: {message}"
    return move(connection, held.job_id, State.FAILED, held=held, actor=actor, detail=detail, **columns)


# A checkpoint is of use on the kind of device that made it; without one, another kind may train the job as well.
_any_device = func.coalesce(Job.any_device, Job.spec["device"].as_string() == "auto")
_free_again = and_(_any_device, Job.start_step == 0)
_queue_again = case((_free_again, Queue.ANY.value), else_=Job.queue)
_engine_again = case((and_(_free_again, Job.engine != "eager"), None), else_=Job.engine)


def hand_back(
    connection: Connection, held: Fence, *, actor: str, detail: str,
    kind: EventKind = EventKind.HANDED_BACK, lost: bool = False, max_pack: int | None = None,
    wait_seconds: float = 0.0, **columns: Any,
) -> bool:  # fmt: skip
    """Put a job back into the queue, to resume at its newest checkpoint. Returns False where it has moved on.

    lost: count it in `times_lost`. max_pack: a limit for its next pack. wait_seconds: no claim before.
    A job with a cancel mark is cancelled instead. One of `device: auto` that has no checkpoint is for any device again.
    """
    if lost:
        columns["times_lost"] = Job.times_lost + 1
    if max_pack is not None:
        columns["max_pack"] = max_pack
    if wait_seconds:
        columns["not_before"] = now() + wait_seconds
    columns |= {"steps_done": Job.start_step, "queue": _queue_again, "engine": _engine_again}
    about: dict[str, Any] = {"held": held, "actor": actor, "detail": detail}
    # The statement that moves also checks the mark: one that came between a check and a move would be lost.
    return (
        move(connection, held.job_id, State.QUEUED, unmarked=True, kind=kind, **about, **columns)
        or move(connection, held.job_id, State.CANCELLED, **about)
    )  # fmt: skip


def release(connection: Connection, claim_id: UUID, *, actor: str) -> None:
    """End a claim. Jobs that still run under it go back into the queue."""
    if connection.execute(_give_up_if_none_is_held, {"of_claim": claim_id}).rowcount:
        return
    for job in connection.execute(_held, {"of_claim": claim_id}).all():
        detail = "its claim ended without a result for it"
        hand_back(connection, Fence(*job), actor=actor, detail=detail, kind=EventKind.CLAIM_RELEASED)
    connection.execute(_give_up, {"of_claim": claim_id})


_held = (
    select(Job.id, Job.attempt, Job.claim_id).where(Job.claim_id == bindparam("of_claim"), IS_RUNNING).order_by(Job.id)
)
_give_up = delete(Claim).where(Claim.id == bindparam("of_claim"))
_give_up_if_none_is_held = _give_up.where(~_held.order_by(None).exists())
