"""One job in the middle of its life, who may do something to it, and what then stands in the database."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, delete, select, update

from gradyard.jobs.errors import DatabaseUnavailable
from gradyard.jobs.identifiers import new_id
from gradyard.jobs.settings import Settings
from gradyard.jobs.states import Reason
from gradyard.store import fleet, lifecycle
from gradyard.store.database import Database
from gradyard.store.dialects import now
from gradyard.store.fleet import WorkerInfo
from gradyard.store.lifecycle import ClaimedJob, Fence, Outcome
from gradyard.store.tables import Checkpoint, Claim, DeletedJob, Job, JobEvent, LossChunk, Result, Worker
from tests.actors import claimed, expires, progress_of, submitted, worker_of

STEPS = 4
DAY = 86_400.0  # both workers live for as long as the test


@dataclass(frozen=True)
class OneJob:
    """A job that `worker` claimed once (its lease is over), another worker that is free, and the job's member."""

    database: Database
    worker: WorkerInfo
    other: WorkerInfo
    member: ClaimedJob
    claim_id: Any
    recorded: int

    @property
    def fence(self) -> Fence:
        """What the first worker names in each of its writes."""
        return self.member.held


def running_job(database: Database, settings: Settings, *, marked: bool = False, recorded: int = 0) -> OneJob:
    """It runs under a claim whose lease is over, with so many steps recorded; `marked`: with a cancel mark."""
    worker = worker_of(database, lease=DAY)
    other = worker_of(database, "cpu-1", lease=DAY)
    job_id = submitted(database, settings, steps=STEPS)
    claim = claimed(database, worker, lease=-1.0)
    member = claim.members[0]
    with database.begin() as connection:
        if recorded:
            lifecycle.record(connection, progress_of(member, [1.0] * recorded))
        if marked:
            lifecycle.request_cancel(connection, job_id, actor="client")
    return OneJob(database, worker, other, member, claim.id, recorded)


def queued_job(database: Database, settings: Settings) -> OneJob:
    """It was handed back, and waits."""
    one = running_job(database, settings, recorded=2)
    with database.begin() as connection:
        expires(connection)
    return one


Does = Callable[[Connection, OneJob], Any]


def _record(connection: Connection, one: OneJob) -> Any:
    return lifecycle.record(connection, progress_of(one.member, [2.0], one.recorded))


def _succeed(connection: Connection, one: OneJob) -> Any:
    """The last words of a pack are one transaction: record, result, release."""
    lifecycle.record(connection, progress_of(one.member, [1.0] * (STEPS - one.recorded), one.recorded))
    said = lifecycle.succeed(connection, one.fence, Outcome({"a": 1.0}, "y = 1", {}), actor="worker")
    lifecycle.release(connection, one.claim_id, actor="worker")
    return said


def _fail(connection: Connection, one: OneJob) -> Any:
    return lifecycle.fail(connection, one.fence, Reason.ERROR, "it broke", actor="worker")


def _hand_back(connection: Connection, one: OneJob) -> Any:
    return lifecycle.hand_back(connection, one.fence, actor="worker", detail="stops", max_pack=1)


def _let_go(connection: Connection, one: OneJob) -> Any:
    return lifecycle.cancel_by_worker(connection, one.fence, actor="worker")


def _rewind(connection: Connection, one: OneJob) -> Any:
    return lifecycle.rewind(connection, one.fence, 0)


def _beat(connection: Connection, one: OneJob) -> Any:
    return fleet.heartbeat(connection, one.worker, 15.0, one.claim_id, 3)


def _claim(connection: Connection, one: OneJob) -> Any:
    claim = lifecycle.claim(connection, one.other, 15.0)
    return None if claim is None else [(member.attempt, claim.start_step) for member in claim.members]


def _retire_slot(connection: Connection, one: OneJob) -> Any:
    return lifecycle.hand_back_slot(connection, replace(one.worker, id=new_id()))


def _delete(connection: Connection, one: OneJob) -> Any:
    return lifecycle.delete_job(connection, 1, one.member.id)


def _expire(connection: Connection, one: OneJob) -> Any:
    """A claim that is locked at this moment is left to the next round of maintenance."""
    moved = expires(connection)
    if lifecycle.expired_claims(connection):
        raise DatabaseUnavailable("another transaction has the job; the next round tries again")
    return moved


DEEDS: dict[str, Does] = {
    "record": _record, "succeed": _succeed, "fail": _fail, "hand back": _hand_back, "let go": _let_go,
    "rewind": _rewind, "beat": _beat, "claim": _claim, "new process of the slot": _retire_slot, "delete": _delete,
    "expire": _expire,
    "cancel": lambda connection, one: lifecycle.request_cancel(connection, one.member.id, actor="client"),
    "cancel over its head": lambda connection, one: lifecycle.move_silent(connection, one.member.id, actor="client"),
}  # fmt: skip


_TOLD = {
    "jobs": select(
        Job.state, Job.attempt, Job.claim_id.is_not(None), Job.cancel_requested_at.is_not(None), Job.start_step,
        Job.steps_done, Job.reason, Job.times_lost, Job.crashes, Job.max_pack, Job.records, Job.loss_last,
        Job.finished_at.is_not(None),
    ),
    "events": select(JobEvent.sequence, JobEvent.from_state, JobEvent.to_state, JobEvent.attempt, JobEvent.detail),
    "losses": select(LossChunk.start_step, LossChunk.losses),
    "checkpoints": select(Checkpoint.step), "results": select(Result.attempt, Result.coefficients["a"]),
    "claims": select(Claim.width, Claim.steps_done, Claim.lease_until > now()), "workers": select(Worker.slot),
}  # fmt: skip


def told(database: Database) -> dict[str, list[Any]]:
    """Everything that the database says, but for ids and times."""
    with database.read() as connection:
        return {name: sorted(map(tuple, connection.execute(query)), key=repr) for name, query in _TOLD.items()}


def forget_everything(database: Database) -> None:
    """An empty database again."""
    with database.begin() as connection:
        connection.execute(update(Job).where(Job.state == "running").values(state="queued", claim_id=None))
        for table in (Job, Claim, Worker, DeletedJob):
            connection.execute(delete(table))
