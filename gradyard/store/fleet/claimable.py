"""What waits that a worker may take: the questions of a claim, which change nothing."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    bindparam,
    cast,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)

from gradyard.jobs.curves import Summary
from gradyard.store.database import for_claiming, now
from gradyard.store.fleet.holds import on_hold
from gradyard.store.fleet.workers import Capabilities
from gradyard.store.tables import Claim, Job, Worker

FIGURES = tuple(Summary().columns())
_COLUMNS = [Job.__table__.columns[name] for name in (
    "id", "stage", "numerics_version", "dtype", "steps", "start_step", "attempt", "engine", "pack_key", "max_pack",
    "gpu_memory_mib", "project_id", "priority", "rank", "spec", "resolved", "warnings", "spec_sha256", "failures",
    "last_error", *FIGURES,
)]  # fmt: skip
_may_claim = ~select(Worker.id).where(Worker.id == bindparam("of_worker"), on_hold).exists()


@dataclass(frozen=True)
class ClaimQueries:
    """What a worker of some capabilities asks at each claim; built once, since building costs more than asking."""

    any: Any  # whether there is a head at all
    head: Any
    waiting: Any  # how many jobs of a key, at most `most`
    riders: Any


@lru_cache(maxsize=32)
def questions(capabilities: Capabilities) -> ClaimQueries:
    """The questions of a worker of these capabilities."""
    claim_order = (Job.priority.desc(), Job.rank, Job.id)
    able, most = _claimable_by(capabilities), bindparam("most", type_=Integer)
    same = (
        Job.pack_key == bindparam("key"), Job.start_step == bindparam("step"), Job.id != bindparam("head"),
        or_(Job.max_pack.is_(None), Job.max_pack > 1), or_(Job.engine.is_(None), Job.engine == bindparam("engine")),
        func.coalesce(Job.gpu_memory_mib, 0) <= bindparam("member_mib", type_=Integer),  # as wide as the head's allow
    )  # fmt: skip
    waiting = select(Job.id).where(*able, *same).limit(most).subquery()
    return ClaimQueries(
        any=select(Job.id).where(*able).limit(1),
        head=for_claiming(select(*_COLUMNS).where(*able, _may_claim).order_by(*claim_order).limit(1)),
        waiting=select(func.count()).select_from(waiting),
        riders=for_claiming(select(*_COLUMNS).where(*able, *same).order_by(*claim_order).limit(most)),
    )


def _claimable_by(capabilities: Capabilities) -> list[ColumnElement[bool]]:
    """What a row must satisfy: its queue, its moment, a stage that is installed, a device that fits."""
    return [
        Job.state == literal_column("'queued'"),  # a literal, so that the partial index serves
        Job.queue.in_([capabilities.queue, "any"]),
        or_(Job.not_before.is_(None), Job.not_before <= now()),
        tuple_(Job.stage, Job.numerics_version).in_(list(capabilities.stages)),
        or_(Job.pool.is_(None), Job.pool == capabilities.pool),
        or_(Job.gpu_memory_mib.is_(None), Job.gpu_memory_mib <= capabilities.memory_mib),
        or_(Job.engine.is_(None), Job.engine.in_(capabilities.engines)),
    ]


def something_to_claim(connection: Connection, capabilities: Capabilities) -> bool:
    """Whether a claim of such a worker would find something now; it claims and locks nothing."""
    return connection.execute(questions(capabilities).any).first() is not None


def idle_slots(connection: Connection, queue: str) -> int:
    """Live slots of this queue that hold no claim, this one included."""
    return int(connection.execute(_idle, {"queue": queue}).scalar_one())


_busy = select(Claim.id).where(Claim.worker_id == Worker.id).exists()
_idle = select(cast(func.count(), Integer)).where(
    Worker.queue == bindparam("queue"), Worker.lease_until > now(), ~_busy, ~on_hold
)
