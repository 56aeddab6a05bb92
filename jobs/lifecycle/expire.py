"""What maintenance does: leases that are over, keys and workers that are old. It reads first, and writes only then."""

from uuid import UUID

from sqlalchemy import Connection, delete, exists, select, update

from jobs.database import now
from jobs.lifecycle.finish import fail, hand_back
from jobs.states import OVER, Reason, State
from jobs.tables import Claim, IdempotencyKey, Job, Worker

LOSSES_ALONE = 10  # nobody reported: that often alone, the job itself is to blame


def lease_is_over(connection: Connection) -> bool:
    """Whether any claim's lease is over: a read, so that a quiet database is never locked for nothing."""
    return connection.execute(select(Claim.id).where(Claim.lease_until < now()).limit(1)).first() is not None


def expire_claims(connection: Connection, *, actor: str) -> int:
    """Queue again every job of a claim whose lease is over; how many were moved."""
    moved = 0
    for claim_id, width in list(
        connection.execute(select(Claim.id, Claim.width).where(Claim.lease_until < now()).limit(100))
    ):
        held = select(Job.id, Job.attempt, Job.losses).where(Job.claim_id == claim_id, Job.state == State.RUNNING)
        jobs = list(connection.execute(held.order_by(Job.id).with_for_update()))
        if not _still_over(connection, claim_id):
            continue
        for job in jobs:
            moved += _lost(connection, job.id, job.attempt, job.losses, width, actor)
        connection.execute(delete(Claim).where(Claim.id == claim_id))
    return moved


def _still_over(connection: Connection, claim_id: UUID) -> bool:
    """Whether nobody renewed it meanwhile; from now on nobody can."""
    over = update(Claim).where(Claim.id == claim_id, Claim.lease_until < now()).values(lease_until=Claim.lease_until)
    return connection.execute(over).rowcount == 1


def _lost(connection: Connection, job_id: UUID, attempt: int, losses: int, width: int, actor: str) -> bool:
    detail = "its worker was not heard of for a lease"
    if width > 1:  # blame needs solitude
        return hand_back(connection, job_id, attempt, actor=actor, detail=detail, max_pack=max(1, width // 2))
    if losses + 1 >= LOSSES_ALONE:
        message = f"its worker vanished {LOSSES_ALONE} times while it trained this job alone"
        return fail(connection, job_id, attempt, Reason.POISON, message, actor=actor, losses=losses + 1)
    return hand_back(connection, job_id, attempt, actor=actor, detail=detail, lost=True)


def forget_old_keys(connection: Connection, hours: float) -> int:
    """Delete idempotency keys older than that whose job is over (or gone); how many."""
    alive = exists().where(Job.id == IdempotencyKey.job_id, Job.state.not_in(list(OVER)))
    old = delete(IdempotencyKey).where(IdempotencyKey.created_at < now() - hours * 3600, ~alive)
    return connection.execute(old).rowcount


def forget_workers(connection: Connection, seconds: float) -> int:
    """Delete workers that left that long ago and hold nothing; how many."""
    holding = exists().where(Claim.worker_id == Worker.id)
    return connection.execute(delete(Worker).where(Worker.lease_until < now() - seconds, ~holding)).rowcount
