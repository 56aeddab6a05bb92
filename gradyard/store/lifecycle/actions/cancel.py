"""Jobs of a question are cancelled: those that wait at once, those that run by a mark for their workers."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, select, update

from gradyard.jobs.states import State
from gradyard.store.dialects import now
from gradyard.store.lifecycle.actions.asked import AskedJobs, still_asked
from gradyard.store.lifecycle.cancel import cancel_locked
from gradyard.store.lifecycle.moves import Fence, move
from gradyard.store.tables import IS_QUEUED, IS_RUNNING, Job, JobSummary

DETAIL = "with all of a question, while queued"


def live_asked(connection: Connection, asked: AskedJobs) -> list[UUID]:
    """The jobs of the question that can be cancelled: those that run and have no mark, then those that wait."""
    unmarked = _live(connection, asked, IS_RUNNING, Job.cancel_requested_at.is_(None))
    return [*unmarked, *_live(connection, asked, IS_QUEUED)]


def _live(connection: Connection, asked: AskedJobs, *state: ColumnElement[bool]) -> list[UUID]:
    mine = Job.project_id == asked.project_id, Job.id < asked.before, *asked.is_mine()
    live = JobSummary.job_id.in_(select(Job.id).where(*state, *mine))
    wanted = select(JobSummary.job_id).where(live, *asked.of_summaries())
    return list(connection.execute(wanted.order_by(JobSummary.job_id)).scalars())


def count_live(connection: Connection, asked: AskedJobs) -> int:
    """How many jobs of the question have not ended, those of other submitters and with a mark included."""
    live = (_live(connection, replace(asked, submitter=None), each) for each in (IS_RUNNING, IS_QUEUED))
    return sum(map(len, live))


class CancelledPart(NamedTuple):
    """The ids of jobs that a transaction cancelled, and of those that it marked for their workers."""

    cancelled: list[UUID]
    marked: list[UUID]


def cancel_part(connection: Connection, asked: AskedJobs, job_ids: Sequence[UUID], *, wait: bool) -> CancelledPart:
    """Cancel those of these jobs that wait, and mark those that run, where they still satisfy the question.

    A job whose row is locked is left out, or waited for where `wait` says so.
    """
    ids, _ = still_asked(connection, asked, job_ids, wait=wait)
    queued = list(connection.execute(select(Job.id).where(Job.id.in_(ids), IS_QUEUED)).scalars())
    cancel_locked(connection, queued, actor=asked.actor, detail=DETAIL)
    unmarked = update(Job).where(Job.id.in_(ids), IS_RUNNING, Job.cancel_requested_at.is_(None))
    marked = connection.execute(unmarked.values(cancel_requested_at=now()).returning(Job.id)).scalars()
    return CancelledPart(queued, list(marked))


def move_silent_of(connection: Connection, job_ids: Sequence[UUID], *, actor: str) -> int:
    """Cancel those of these jobs that are marked, and whose workers did not react in time. Returns how many."""
    marked = select(Job.id, Job.attempt, Job.claim_id).where(Job.id.in_(job_ids), IS_RUNNING)
    marked = marked.where(Job.cancel_requested_at.is_not(None)).order_by(Job.id).with_for_update()
    return sum(
        move(connection, row.id, State.CANCELLED, held=Fence(*row), actor=actor, detail="worker silent")
        for row in list(connection.execute(marked))
    )


def cancelled_of(connection: Connection, job_ids: Sequence[UUID]) -> int:
    """How many of these jobs are cancelled by now."""
    cancelled = select(Job.id).where(Job.id.in_(job_ids), Job.state == State.CANCELLED)
    return len(connection.execute(cancelled).all())
