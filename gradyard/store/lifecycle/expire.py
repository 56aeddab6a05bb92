"""Jobs of expired leases, which maintenance queues again."""

from uuid import UUID

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, select

from gradyard.jobs.events import EventKind
from gradyard.store.dialects import for_claiming, now
from gradyard.store.lifecycle.requeue_lost import requeue_lost
from gradyard.store.tables import IS_RUNNING, Claim, Job


def expired_claims(connection: Connection, as_of: float | None = None) -> list[UUID]:
    """The claims whose leases had expired at that moment of the database's clock (None: by now), the oldest first.

    This only reads, so a quiet database is never locked for nothing.
    """
    return list(connection.execute(select(Claim.id).where(_expired(as_of)).order_by(Claim.lease_until)).scalars())


def expire_claim(connection: Connection, claim_id: UUID, *, actor: str, as_of: float | None = None) -> int:
    """Queue again the jobs of an expired claim, in a transaction of its own. Returns how many were moved.

    as_of: the moment of the database's clock by which a lease counts as expired, where that is not now. A step of the
    clock after it expires nothing.

    It waits for no lock: where another transaction has the claim or one of its jobs, it does nothing, and the next
    round tries again. A worker that stopped in the middle of a record would hold up every other lease.
    """
    jobs = connection.execute(_free_jobs, {"of_claim": claim_id}).all()
    claim = for_claiming(select(Claim.width).where(Claim.id == claim_id, _expired(as_of)))
    width = connection.execute(claim).scalar()
    if width is None or connection.execute(_width_now, {"of_claim": claim_id}).scalar_one() > len(jobs):
        return 0
    detail = "its worker sent no heartbeat for a lease"
    moved = sum(requeue_lost(connection, job, width, EventKind.LEASE_LOST, detail, actor=actor) for job in jobs)
    connection.execute(delete(Claim).where(Claim.id == claim_id))
    return moved


def _expired(as_of: float | None) -> ColumnElement[bool]:
    return Claim.lease_until < (now() if as_of is None else as_of)


_held = (Job.claim_id == bindparam("of_claim"), IS_RUNNING)
# In the order in which a record of a pack locks them.
_free_jobs = for_claiming(select(Job.id, Job.attempt, Job.claim_id, Job.times_lost).where(*_held).order_by(Job.id))
_width_now = select(func.count()).select_from(Job).where(*_held)
