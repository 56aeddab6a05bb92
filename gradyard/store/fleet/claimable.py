"""The queries of a claim: which job comes first, and which jobs train with it. They change nothing."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    bindparam,
    func,
    literal_column,
    or_,
    select,
)

from gradyard.jobs.curves import Summary
from gradyard.store.dialects import for_claiming, now
from gradyard.store.fleet.eligibility import claimable_by
from gradyard.store.fleet.holds import on_hold
from gradyard.store.fleet.workers import Capabilities
from gradyard.store.tables import Job, Worker

FIGURES = tuple(Summary().columns())
_COLUMNS = [Job.__table__.columns[name] for name in (
    "id", "stage", "numerics_version", "dtype", "steps", "start_step", "attempt", "engine", "pack_key", "max_pack",
    "gpu_memory_mib", "project_id", "priority", "rank", "spec", "resolved", "warnings", "spec_sha256", "failures",
    "last_error", *FIGURES,
)]  # fmt: skip
_may_claim = ~select(Worker.id).where(Worker.id == bindparam("of_worker"), on_hold).exists()


@dataclass(frozen=True)
class ClaimQueries:
    """The queries of workers of equal capabilities. Built once: building them costs more than executing them."""

    any: Any  # a row where there is a head
    head: Any
    waiting: Any  # how many jobs of a key wait, at most `most`
    riders: Any


@lru_cache(maxsize=32)
def claim_queries(capabilities: Capabilities) -> ClaimQueries:
    """The claim queries of a worker of these capabilities. Cached."""
    claim_order = (Job.priority.desc(), Job.rank, Job.id)
    able, most = _claimable_now(capabilities), bindparam("most", type_=Integer)
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


def _claimable_now(capabilities: Capabilities) -> list[ColumnElement[bool]]:
    return [
        Job.state == literal_column("'queued'"),  # a literal, so that the partial index serves
        or_(Job.not_before.is_(None), Job.not_before <= now()),
        *claimable_by(capabilities),
    ]


def something_to_claim(connection: Connection, capabilities: Capabilities) -> bool:
    """Whether a worker of these capabilities could claim a job now. Nothing is claimed or locked."""
    return connection.execute(claim_queries(capabilities).any).first() is not None
