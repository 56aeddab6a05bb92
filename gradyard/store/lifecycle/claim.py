"""A worker claims the first job that it may train, and the riders that train with it as one program."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Double, bindparam, insert, update

from gradyard.jobs.events import EventKind
from gradyard.jobs.identifiers import new_id
from gradyard.jobs.states import State
from gradyard.store.dialects import now
from gradyard.store.fleet.claim_queries import FIGURES
from gradyard.store.fleet.workers import WorkerInfo
from gradyard.store.lifecycle.choose_pack import choose_pack
from gradyard.store.lifecycle.fair_queueing import advance_virtual_time
from gradyard.store.lifecycle.moves import IS_HELD, Fence, write_events
from gradyard.store.tables import IS_QUEUED, Job
from gradyard.store.tables import Claim as ClaimRow
from gradyard.store.these import is_among, told


@dataclass(frozen=True)
class ClaimedJob:
    """One member of a claimed pack: its fence and what its training needs.

    summary: the figures of its curve so far, by the names of the columns of `jobs`.
    """

    id: UUID
    attempt: int
    claim_id: UUID
    spec: dict[str, Any]
    resolved: dict[str, Any]
    spec_sha256: str
    timeout_seconds: float
    failures: int
    last_error: str | None
    summary: dict[str, Any] = field(default_factory=dict)
    project_id: int = 1
    waited_seconds: float | None = None  # since its submission, at its first claim alone

    @property
    def held(self) -> Fence:
        """What every write about it carries."""
        return Fence(self.id, self.attempt, self.claim_id)


@dataclass(frozen=True)
class Claim:
    """A pack that a worker holds. All members have the same stage, steps, dtype and start step."""

    id: UUID
    stage: str
    steps: int
    start_step: int
    engine: str
    members: list[ClaimedJob]


def claim(
    connection: Connection, worker: WorkerInfo, lease_seconds: float, memory_mib: int | None = None
) -> Claim | None:
    """Claim the first claimable job of the worker's queue and its riders; None where there is none.

    None also where a hold names the worker's queue, GPU, slot or host, and where all that waits is for any device and
    left to the other kind. memory_mib: the free memory of its GPU.
    """
    pack = choose_pack(connection, worker, memory_mib)
    if pack is None:
        return None
    head, rows = pack.rows[0], pack.rows
    claim_id, ids = new_id(), [row.id for row in rows]
    about = {"of_claim": claim_id, "of_queue": worker.queue, "of_width": len(rows)}
    connection.execute(_new_claim, about | {
        "of_worker": worker.id, "of_step": head.start_step, "of_lease": lease_seconds
    })  # fmt: skip
    connection.execute(_take, about | {"of_jobs": told(connection.dialect, ids), "of_engine": pack.engine})
    advance_virtual_time(connection, worker.id, pack.first)
    goes_on = f"goes on from step {head.start_step}" if head.start_step else None
    for ids, detail in ((pack.ids(for_any=True), pack.why_here), (pack.ids(for_any=False), goes_on)):
        if ids:
            write_events(
                connection, ids, State.QUEUED, State.RUNNING, EventKind.CLAIMED, actor=worker.name, detail=detail
            )
    members = [_member(row, claim_id) for row in rows]
    return Claim(claim_id, head.stage, head.steps, head.start_step, pack.engine, members)


# Built once: building such statements costs more than executing them.
_new_claim = insert(ClaimRow).values(
    id=bindparam("of_claim"), worker_id=bindparam("of_worker"), queue=bindparam("of_queue"),
    width=bindparam("of_width"), steps_done=bindparam("of_step"), claimed_at=now(),
    lease_until=now() + bindparam("of_lease", type_=Double),
)  # fmt: skip
_take = (
    update(Job)
    .where(is_among(Job.id, "of_jobs"), IS_QUEUED)
    .values(
        state=State.RUNNING, attempt=Job.attempt + 1, claim_id=bindparam("of_claim"), started_at=now(), not_before=None,
        steps_done=Job.start_step, pack_size=bindparam("of_width"), queue=bindparam("of_queue"),
        engine=bindparam("of_engine"),
    )
)  # fmt: skip


def train_eagerly(connection: Connection, fences: Iterable[Fence]) -> None:
    """Change the engine of these attempts to `eager`: their own does not work on this machine."""
    for job_id, attempt, claim_id in fences:
        connection.execute(_eager, {"of_job": job_id, "fenced": attempt, "held_by": claim_id})


_eager = update(Job).where(Job.id == bindparam("of_job"), *IS_HELD).values(engine="eager")


def _member(row: Any, claim_id: UUID) -> ClaimedJob:
    summary = dict(zip(FIGURES, row[-len(FIGURES) :], strict=True))
    return ClaimedJob(
        row.id, row.attempt + 1, claim_id, row.spec, row.resolved, row.spec_sha256,
        row.spec["timeout_seconds"], row.failures, row.last_error, summary, row.project_id,
        None if row.attempt else row.waited_seconds,
    )  # fmt: skip
