"""One record of a pack: in one transaction, what every member did and what becomes of those that are over."""

from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from gradyard.store import lifecycle
from gradyard.store.lifecycle import Ended, Progress
from workers.protocol.segment import Stretch
from workers.supervisor import failure_policy
from workers.supervisor.pack import Member, Pack

log = structlog.get_logger()


@dataclass(frozen=True)
class Written:
    """What a record did for one member.

    `gone` where it is no longer this worker's, `fenced` where it was not even before.
    """

    member: Member
    progress: Progress
    gone: bool
    fenced: bool


@dataclass(frozen=True)
class Record:
    """What is to be stored of some members of a pack, made before a transaction: others wait for its lock."""

    members: list[Member]
    progresses: list[Progress]
    stretch: Stretch
    ended: list[Ended]  # those that trained to their end, and what they found is finite


def record_of(pack: Pack, members: list[Member], stretch: Stretch) -> Record:
    """Each member's chunk and checkpoint, and the result of those that ended."""
    progresses = [pack.progress(member, stretch) for member in members]
    well = [member for member in members if stretch.results is not None and _ended_well(member, stretch)]
    ended = [Ended(each.job.id, each.job.attempt, pack.outcome(each, stretch)) for each in well]
    return Record(members, progresses, stretch, ended)


def write_record(connection: Connection, pack: Pack, record: Record, *, actor: str) -> list[Written]:
    """Store it, and move those that ended; it changes nothing but the database."""
    members, progresses, stretch = record.members, record.progresses, record.stretch
    stored = lifecycle.record_all(connection, progresses)
    for progress in (each for each in progresses if each.job_id not in stored):
        log.warning("fenced", job=str(progress.job_id), attempt=progress.attempt, what="record")
    ours = [member for member in members if member.job.id in stored]
    gone = {member.index for member in members if member.job.id not in stored}
    if record.ended:
        done = lifecycle.succeed_all(connection, record.ended, actor=actor, running=stored)
        gone |= {member.index for member in ours if member.job.id in done}
    gone |= {m.index for m in ours if m.index not in gone and _moved_on(connection, pack, m, stretch, actor)}
    return [
        Written(m, progress, m.index in gone, m.job.id not in stored)
        for m, progress in zip(members, progresses, strict=True)
    ]


def _ended_well(member: Member, stretch: Stretch) -> bool:
    """Whether it trained to its end, and what it found is finite."""
    return member.diverged_at is None and bool(stretch.result_of(member.index)["finite"])


def _moved_on(connection: Connection, pack: Pack, member: Member, stretch: Stretch, actor: str) -> bool:
    """Whether a member that did not end well left the state `running` with this stretch."""
    job = member.job
    if member.diverged_at is not None:
        failure_policy.diverged(connection, member, member.diverged_at, actor=actor)
    elif stretch.results is not None:  # every loss is finite, the weights after the last update are not
        failure_policy.diverged(connection, member, pack.claim.steps, actor=actor)
    elif stretch.stopped:
        lifecycle.hand_back(connection, job.id, job.attempt, actor=actor, detail="the worker stops")
    else:
        return False
    return True
