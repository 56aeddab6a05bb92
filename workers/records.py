"""One record of a pack: in one transaction, what every member did and what becomes of those that are over."""

from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from jobs import lifecycle
from jobs.lifecycle import Progress
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
    written = []
    for member in members:
        progress = pack.progress(member, frame)
        stored = lifecycle.record(connection, progress)
        if not stored:
            log.warning("fenced", job=str(progress.job_id), attempt=progress.attempt, what="record")
        gone = not stored or _moved_on(connection, pack, member, frame, actor)
        written.append(Written(member, progress, gone))
    return written


def _moved_on(connection: Connection, pack: Pack, member: Member, frame: Frame, actor: str) -> bool:
    """Whether the member left the state `running` with this frame."""
    job = member.job
    if member.diverged_at is not None:
        judgement.diverged(connection, member, member.diverged_at, actor=actor)
    elif "results" in frame.fields:
        row = frame.fields["members"].index(member.index)
        if frame.fields["results"][row]["finite"]:
            lifecycle.succeed(connection, job.id, job.attempt, pack.outcome(row, frame), actor=actor)
        else:  # every loss is finite, the weights after the last update are not
            judgement.diverged(connection, member, pack.claim.steps, actor=actor)
    elif frame.fields["stopped"]:
        lifecycle.hand_back(connection, job.id, job.attempt, actor=actor, detail="the worker stops")
    else:
        return False
    return True
