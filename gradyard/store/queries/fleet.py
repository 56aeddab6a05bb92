"""Workers, the packs that they hold, holds, queues and counters."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    bindparam,
    case,
    false,
    func,
    null,
    or_,
    select,
    true,
    union_all,
)

from gradyard.jobs.fleet import HoldKind, Queue, SlotAddress
from gradyard.jobs.states import FINISHED, State
from gradyard.store.dialects import now
from gradyard.store.queries.cursors import page_by
from gradyard.store.tables import IS_QUEUED, IS_RUNNING, Claim, Counter, Hold, Job, JobSummary, Worker

STALE_WORKERS_SHOWN_SECONDS = 600.0


def cancelled_members(connection: Connection, claim_id: UUID) -> list[UUID]:
    """The members of a claim that have a cancel mark."""
    marked = (Job.claim_id == claim_id, IS_RUNNING, Job.cancel_requested_at.is_not(None))
    return list(connection.execute(select(Job.id).where(*marked)).scalars())


def claim_exists(connection: Connection, claim_id: UUID) -> bool:
    """Whether the claim still exists."""
    return connection.execute(_claim_of, {"claim": claim_id}).first() is not None


_claim_of = select(Claim.id).where(Claim.id == bindparam("claim"))


def workers_seen(connection: Connection) -> list[Row[Any]]:
    """Live workers, and those whose leases ended in the last ten minutes; each with `alive` and its claim."""
    return list(connection.execute(_all_workers_seen))


def workers_in_order(
    connection: Connection, *, limit: int | None = None, cursor: str | None = None
) -> tuple[list[Row[Any]], str | None]:
    """A page of the workers that were seen lately, by host, slot and age, and the cursor of the next page.

    Without a limit all of them. Raises SpecInvalid where the cursor is not one that this service gave for such a list.
    """
    return page_by(connection, _workers_seen, _order_of_workers, limit=limit, cursor=cursor)


_recent = or_(Worker.lease_until > now() - STALE_WORKERS_SHOWN_SECONDS, Claim.id.is_not(None))


_workers_seen = (
    select(
        *Worker.__table__.columns, (Worker.lease_until > now()).label("alive"), Claim.id.label("claim_id"), Claim.width,
        Claim.steps_done,
    ).outerjoin(Claim, Claim.worker_id == Worker.id).where(_recent)
)  # fmt: skip
_order_of_workers = [Worker.__table__.columns[name] for name in ("host", "slot", "id")]  # ids sort by age
_all_workers_seen = _workers_seen.order_by(*_order_of_workers)  # built once: each submission asks for it


def members_of(connection: Connection, project_id: int, claim_ids: list[UUID]) -> dict[UUID, list[UUID]]:
    """The running jobs of this project in each of these claims."""
    query = (
        select(Job.claim_id, Job.id).where(Job.claim_id.in_(claim_ids), Job.project_id == project_id).order_by(Job.id)
    )
    members: dict[UUID, list[UUID]] = {claim_id: [] for claim_id in claim_ids}
    for claim_id, job_id in connection.execute(query):
        if claim_id is not None:
            members[claim_id].append(job_id)
    return members


def _pairs(connection: Connection, query: Any) -> list[tuple[str, int]]:
    return [(name, count) for name, count in connection.execute(query)]


def live_slots(connection: Connection) -> dict[str, int]:
    """How many live workers each queue has."""
    query = select(Worker.queue, func.count()).where(Worker.lease_until > now()).group_by(Worker.queue)
    return dict(_pairs(connection, query))


def jobs_per_second(connection: Connection) -> dict[str, float]:
    """How many jobs a second each queue finished in the last minute, as its live workers report it."""
    rate = func.coalesce(func.sum(Worker.jobs_per_second), 0.0)
    query = select(Worker.queue, rate).where(Worker.lease_until > now()).group_by(Worker.queue)
    return {queue: float(number or 0.0) for queue, number in connection.execute(query)}


def holds(connection: Connection) -> list[Row[Any]]:
    """All holds: kind, name, reason, actor, since."""
    return list(connection.execute(_holds))


_holds = select(*Hold.__table__.columns).order_by(Hold.kind, Hold.name)


def drain_targets_named(connection: Connection, name: str) -> list[tuple[HoldKind, str]]:
    """The kind and name of each hold that would drain `name`: a host, SLOT@HOST, a slot of every host, a GPU's UUID.

    Only hosts, slots and GPUs of workers in the table count.
    """
    rows = connection.execute(select(Worker.host, Worker.slot, Worker.device_uuid).distinct()).all()
    found = {(HoldKind.HOST, host) for host, _, _ in rows if name == host}
    slots = (SlotAddress(slot, host) for host, slot, _ in rows)
    found |= {(HoldKind.SLOT, str(each)) for each in slots if name in (each.slot, str(each))}
    return sorted(found | {(HoldKind.GPU, uuid) for _, _, uuid in rows if uuid == name and uuid is not None})


def gpus_at(connection: Connection, name: str) -> set[str]:
    """The UUIDs of the GPUs that slots of this name (SLOT@HOST, or SLOT) have, of workers in the table."""
    rows = connection.execute(select(Worker.host, Worker.slot, Worker.device_uuid).distinct())
    return {uuid for host, slot, uuid in rows if uuid is not None and name in (slot, str(SlotAddress(slot, host)))}


@dataclass(frozen=True)
class QueueDepth:
    """How many jobs wait in a queue, and how long the oldest has waited."""

    queue: str
    depth: int
    oldest_wait_seconds: float


def queue_depths(connection: Connection, project_id: int) -> list[QueueDepth]:
    """The depth of each queue, of the project's jobs alone."""
    return _depths(connection, Job.project_id == project_id)


def depths_of_all(connection: Connection) -> list[QueueDepth]:
    """The depth of each queue, of all projects together."""
    return _depths(connection)


def _depths(connection: Connection, *those: ColumnElement[bool]) -> list[QueueDepth]:
    waited = (now() - func.min(Job.submitted_at)).label("waited")
    query = select(Job.queue, func.count(), waited).where(IS_QUEUED, *those)
    found = {
        queue: QueueDepth(queue, depth, max(0.0, wait))
        for queue, depth, wait in connection.execute(query.group_by(Job.queue))
    }
    return [found.get(queue, QueueDepth(queue, 0, 0.0)) for queue in Queue]


@dataclass(frozen=True)
class JobCount:
    """How many jobs of a stage are in a state, for a reason (of failed ones); or how many such jobs were deleted."""

    state: str
    stage: str
    reason: str | None
    count: int
    deleted: bool


def job_counts(connection: Connection) -> list[JobCount]:
    """How many jobs of all projects there are, and how many finished ones were deleted."""
    return [JobCount(*row) for row in connection.execute(_job_counts)]


# One statement, so one look at the database: a job that is deleted between two would be counted twice or not at all.
_deleted = {f"deleted_{state}": state.value for state in State if state in FINISHED}
_job_counts = union_all(
    select(JobSummary.state, JobSummary.stage, JobSummary.reason, func.count().label("count"), false().label("deleted"))
    .where(JobSummary.state.is_not(None)).group_by(JobSummary.state, JobSummary.stage, JobSummary.reason),
    *(select(Job.state, Job.stage, null(), func.count(), false()).where(live).group_by(Job.state, Job.stage)
      for live in (IS_QUEUED, IS_RUNNING)),
    select(case(_deleted, value=Counter.name), Counter.counted_by, null(), Counter.total, true())
    .where(Counter.name.in_(list(_deleted))),
)  # fmt: skip


def counters(connection: Connection) -> list[Row[Any]]:
    """All counters: name, counted_by, total."""
    return list(connection.execute(select(*Counter.__table__.columns).order_by(Counter.name, Counter.counted_by)))


def counts_by_state(connection: Connection, project_id: int) -> dict[str, int]:
    """How many jobs the project has in each state."""
    ended = (JobSummary.project_id == project_id, JobSummary.state.is_not(None))
    counts = [select(JobSummary.state, func.count()).where(*ended).group_by(JobSummary.state)]
    counts += [select(Job.state, func.count()).where(Job.project_id == project_id, live).group_by(Job.state)
               for live in (IS_QUEUED, IS_RUNNING)]  # fmt: skip
    found = dict(_pairs(connection, union_all(*counts)))
    return {state: found.get(state, 0) for state in State}
