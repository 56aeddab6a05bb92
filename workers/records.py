"""One record of a pack: in one transaction, what every member did and what becomes of those that are over."""

from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from jobs import lifecycle
from jobs.lifecycle import Ended, Progress
from workers import judgement
from workers.pack import Member, Pack
from workers.wire import Frame

log = structlog.get_logger()


@dataclass(frozen=True)
class Written:
    """What a record did for one member; `gone` where it is no longer this worker's."""

    member: Member
    progress: Progress
    gone: bool


def write_records(
    connection: Connection, pack: Pack, members: list[Member], frame: Frame, *, actor: str
) -> list[Written]:
    """Store each member's chunk and checkpoint, and move those that ended; it changes nothing but the database."""
    progresses = [pack.progress(member, frame) for member in members]
    stored = lifecycle.record_all(connection, progresses)
    for progress in (each for each in progresses if each.job_id not in stored):
        log.warning("fenced", job=str(progress.job_id), attempt=progress.attempt, what="record")
    ours = [member for member in members if member.job.id in stored]
    moved_on = {member.index for member in members if member.job.id not in stored}
    if "results" in frame.fields:
        ended = [Ended(m.job.id, m.job.attempt, pack.outcome(_row(m, frame), frame)) for m in ours if _ended(m, frame)]
        lifecycle.succeed_all(connection, ended, actor=actor)
        moved_on |= {member.index for member in ours if _ended(member, frame)}
    moved_on |= {m.index for m in ours if m.index not in moved_on and _moved_on(connection, pack, m, frame, actor)}
    return [Written(m, progress, m.index in moved_on) for m, progress in zip(members, progresses, strict=True)]


def _row(member: Member, frame: Frame) -> int:
    return int(frame.fields["members"].index(member.index))


def _ended(member: Member, frame: Frame) -> bool:
    """Whether it trained to its end, and what it found is finite."""
    return member.diverged_at is None and bool(frame.fields["results"][_row(member, frame)]["finite"])


def _moved_on(connection: Connection, pack: Pack, member: Member, frame: Frame, actor: str) -> bool:
    """Whether a member that did not end well left the state `running` with this frame."""
    job = member.job
    if member.diverged_at is not None:
        judgement.diverged(connection, member, member.diverged_at, actor=actor)
    elif "results" in frame.fields:  # every loss is finite, the weights after the last update are not
        judgement.diverged(connection, member, pack.claim.steps, actor=actor)
    elif frame.fields["stopped"]:
        lifecycle.hand_back(connection, job.id, job.attempt, actor=actor, detail="the worker stops")
    else:
        return False
    return True
