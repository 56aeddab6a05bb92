"""What maintenance moves or deletes because time has passed: jobs of expired leases, old idempotency keys."""

from uuid import UUID

from sqlalchemy import Connection, delete, exists, or_, select, update

from gradyard.jobs.events import EventKind
from gradyard.jobs.states import FINISHED, State
from gradyard.store.dialects import now
from gradyard.store.lifecycle.requeue_lost import requeue_lost
from gradyard.store.tables import Claim, IdempotencyKey, Job

MOST_JOBS_AT_ONCE = 100  # jobs moved by one transaction: SQLite's other writers wait for it


def lease_expired(connection: Connection) -> bool:
    """Whether the lease of any claim has expired. This only reads, so a quiet database is never locked for nothing."""
    return connection.execute(select(Claim.id).where(Claim.lease_until < now()).limit(1)).first() is not None


def expire_claims(connection: Connection, *, actor: str) -> int:
    """Queue again jobs of expired claims, about `MOST_JOBS_AT_ONCE` of them. Returns how many were moved."""
    moved = 0
    for claim_id, width in list(
        connection.execute(select(Claim.id, Claim.width).where(Claim.lease_until < now()).limit(100))
    ):
        if moved >= MOST_JOBS_AT_ONCE:
            break
        of_job = (Job.id, Job.attempt, Job.claim_id, Job.times_lost)
        held = select(*of_job).where(Job.claim_id == claim_id, Job.state == State.RUNNING)
        jobs = list(connection.execute(held.order_by(Job.id).with_for_update()))
        if not _still_expired(connection, claim_id):
            continue
        detail = "its worker sent no heartbeat for a lease"
        for job in jobs:
            moved += requeue_lost(connection, job, width, EventKind.LEASE_LOST, detail, actor=actor)
        connection.execute(delete(Claim).where(Claim.id == claim_id))
    return moved


def _still_expired(connection: Connection, claim_id: UUID) -> bool:
    """Whether the claim was not renewed meanwhile. The update locks its row, so it cannot be renewed from now on."""
    same = update(Claim).where(Claim.id == claim_id, Claim.lease_until < now()).values(lease_until=Claim.lease_until)
    return connection.execute(same).rowcount == 1


def forget_old_keys(connection: Connection, hours: float) -> int:
    """Delete idempotency keys older than `hours` whose jobs are finished or deleted. Returns how many."""
    made = or_(Job.id == IdempotencyKey.job_id, Job.batch_id == IdempotencyKey.batch_id)
    alive = exists().where(made, Job.state.not_in(list(FINISHED)))
    old = delete(IdempotencyKey).where(IdempotencyKey.created_at < now() - hours * 3600, ~alive)
    return connection.execute(old).rowcount
