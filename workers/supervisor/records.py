"""One record of a pack: in one transaction what every member did, and the moves of those that are finished."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import structlog
from sqlalchemy import Connection

from gradyard.jobs.events import EventKind
from gradyard.store import lifecycle
from gradyard.store.lifecycle import Ended, Progress, Recorded
from workers.protocol.messages import SegmentMessage
from workers.supervisor import failure_policy
from workers.supervisor.pack import Member, Pack

log = structlog.get_logger()


class Left(StrEnum):
    """Why a member has left its pack with a record, in the words of the log."""

    TRAINED = "trained"
    DIVERGED = "diverged"
    STOPPED = "stopped"  # handed back, since the worker stops
    FENCED = "fenced"  # it was not this worker's any more, and nothing was stored


@dataclass(frozen=True)
class Written:
    """The effect of a record on one member. `left`: why it is no longer this worker's; None where it trains on."""

    member: Member
    progress: Progress
    left: Left | None


@dataclass(frozen=True)
class Record:
    """What to store of some members of a pack. It is made before the transaction, while others may hold the lock."""

    members: list[Member]
    progresses: list[Progress]
    segment: SegmentMessage
    ended: list[Ended]  # those that trained to their end with a finite result

    @property
    def is_last_of_a_member(self) -> bool:
        """Whether a member leaves with this record, so that no later one can hold what it holds."""
        return self.segment.finished or any(member.diverged_at is not None for member in self.members)


def record_of(pack: Pack, members: list[Member], segment: SegmentMessage) -> Record:
    """Each member's chunk and checkpoint, and the result of those that ended."""
    progresses = [pack.progress(member, segment) for member in members]
    finite = [member for member in members if segment.results is not None and _ended_finite(member, segment)]
    ended = [Ended(each.job.held, pack.outcome(each, segment)) for each in finite]
    return Record(members, progresses, segment, ended)


def write_record(connection: Connection, pack: Pack, record: Record, *, actor: str) -> list[Written]:
    """Store a record and move the members that are finished. Give up the claim where none is left.

    It changes nothing but the database, so it may run again.
    """
    members, progresses, segment = record.members, record.progresses, record.segment
    recorded = lifecycle.record_all(connection, progresses, ending={each.job_id for each in record.ended})
    stored = recorded.stored
    for progress in (each for each in progresses if each.job_id not in stored):
        log.warning("fenced", job=str(progress.job_id), attempt=progress.held.attempt, what="record")
    _hand_back_displaced(connection, recorded, progresses, actor)
    done = lifecycle.succeed_all(connection, record.ended, actor=actor, recorded=recorded) if record.ended else set()
    left: dict[int, Left | None] = {}
    for member in members:
        if member.job.id not in stored:
            left[member.index] = Left.FENCED
        elif member.job.id in done:
            left[member.index] = Left.TRAINED
        else:
            left[member.index] = _move_on(connection, pack, member, segment, actor)
    if sum(reason is not None for reason in left.values()) == len(pack.members):
        # In the same transaction: a second one would have to wait for the lock again.
        lifecycle.release(connection, pack.claim.id, actor=actor)
    return [Written(m, progress, left[m.index]) for m, progress in zip(members, progresses, strict=True)]


def _hand_back_displaced(
    connection: Connection, recorded: Recorded, progresses: Sequence[Progress], actor: str
) -> None:
    """Jobs of which the database has less than it had confirmed go on from what it has."""
    for each in progresses:
        if each.job_id in recorded.displaced:
            has = recorded.displaced[each.job_id]
            detail = f"the database has its losses up to step {has}, and this record begins at step {each.start_step}"
            lifecycle.hand_back(connection, each.held, actor=actor, detail=detail, kind=EventKind.RECORDS_LOST)


def _ended_finite(member: Member, segment: SegmentMessage) -> bool:
    return member.diverged_at is None and segment.result_of(member.index).finite


def _move_on(
    connection: Connection, pack: Pack, member: Member, segment: SegmentMessage, actor: str
) -> Left | None:  # fmt: skip
    """Move a member that did not end with a finite result. Return why it has left the state `running`, if it has."""
    job = member.job
    if member.diverged_at is not None:
        failure_policy.diverged(connection, member, member.diverged_at, actor=actor)
        return Left.DIVERGED
    if segment.results is not None:  # every loss is finite, the weights after the last update are not
        failure_policy.diverged(connection, member, pack.claim.steps, actor=actor)
        return Left.DIVERGED
    if segment.stopped:
        lifecycle.hand_back(connection, job.held, actor=actor, detail="the worker stops", kind=EventKind.HANDED_BACK)
        return Left.STOPPED
    return None
