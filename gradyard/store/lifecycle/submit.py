"""A job is stored, once for each idempotency key."""

import hashlib
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Connection, Integer, TableClause, bindparam, func, insert, select, update

from gradyard.jobs.errors import FieldProblem, IdempotencyKeyReused, QueueFull, SpecInvalid
from gradyard.jobs.events import EventKind
from gradyard.jobs.fleet import Queue
from gradyard.jobs.identifiers import new_id
from gradyard.jobs.stages.registry import stage_named
from gradyard.jobs.states import State
from gradyard.jobs.submission.parse import ParsedJob
from gradyard.store.dialects import insert_or_ignore, now
from gradyard.store.lifecycle.fair_queueing import claim_order_of_job
from gradyard.store.lifecycle.moves import write_events
from gradyard.store.tables import Batch, IdempotencyKey, Job


@dataclass(frozen=True)
class Submitted:
    """The job of a submission; `replayed` where an earlier submission with the same idempotency key made it."""

    job_id: UUID
    replayed: bool


def submit(
    connection: Connection, parsed: ParsedJob, *, project_id: int, actor: str, max_queued: int,
    key: str | None = None, body: bytes = b"", retry_of: UUID | None = None,
) -> Submitted:  # fmt: skip
    """Store a new queued job (a retry of `retry_of`), or find the job that this idempotency key made before.

    Raises IdempotencyKeyReused where the key came with another body, QueueFull where `max_queued` jobs of the
    project wait.
    """
    job_id = new_id()
    digest = hashlib.sha256(body).hexdigest()
    if key is not None and (earlier := claim_key(connection, project_id, key, digest, job_id)):
        return Submitted(earlier.job_id, replayed=True)
    check_queue_capacity(connection, project_id, max_queued)
    mine = {"id": job_id, "project_id": project_id, "batch_id": None, "retry_of": retry_of}
    connection.execute(new_job, mine | columns_of(parsed) | claim_order_of_job(connection, project_id, parsed.spec))
    detail = None if retry_of is None else f"a retry of {retry_of}"
    write_events(connection, [job_id], None, State.QUEUED, EventKind.SUBMITTED, actor=actor, detail=detail)
    return Submitted(job_id, replayed=False)


def claim_key(
    connection: Connection, project_id: int, key: str, digest: str, job_id: UUID, batch_id: UUID | None = None,
    retried: int | None = None,
) -> Any:  # fmt: skip
    """Take an idempotency key for a job, or for a batch and its first job. Returns None, or the row of its earlier use.

    retried: how many jobs a retry of the batch makes. The row has job_id, batch_id and retried. A concurrent request
    with the same key is waited for. Raises IdempotencyKeyReused where the earlier body had another SHA-256.
    """
    row = {"project_id": project_id, "key": key, "body_sha256": digest, "job_id": job_id, "batch_id": batch_id,
           "retried": retried, "created_at": now()}  # fmt: skip
    taken = insert_or_ignore(connection, IdempotencyKey).values(row).returning(IdempotencyKey.job_id)
    if connection.execute(taken).first():
        return None
    mine = (IdempotencyKey.project_id == project_id, IdempotencyKey.key == key)
    columns = IdempotencyKey.body_sha256, IdempotencyKey.job_id, IdempotencyKey.batch_id, IdempotencyKey.retried
    earlier = connection.execute(select(*columns).where(*mine)).one()
    if earlier.body_sha256 != digest or (earlier.batch_id is None) != (batch_id is None):
        raise IdempotencyKeyReused(f"the idempotency key {key!r} came with another body before; use a new key")
    made = select(Job.id).where(Job.id == earlier.job_id)
    if earlier.batch_id is not None:
        made = select(Batch.id).where(Batch.id == earlier.batch_id)
    if connection.execute(made).scalar() is not None:
        return earlier
    # That job was deleted, so the key is free again.
    connection.execute(update(IdempotencyKey).where(*mine).values(row))
    return None


# Built once: building such statements costs more than executing them.
new_job = insert(cast(TableClause, Job.__table__)).values(submitted_at=now())
_queued = select(Job.id).where(Job.project_id == bindparam("project"), Job.state == State.QUEUED)
_waiting = select(func.count()).select_from(_queued.limit(bindparam("most", type_=Integer)).subquery())


def check_queue_capacity(connection: Connection, project_id: int, max_queued: int, new: int = 1) -> None:
    """Raise QueueFull where the new jobs would make more than `max_queued` of the project wait."""
    if new > max_queued:
        raise SpecInvalid([FieldProblem("", f"{new:,} jobs; at most {max_queued:,} of a project may wait")])
    others = max_queued - new + 1
    if connection.execute(_waiting, {"project": project_id, "most": others}).scalar_one() >= others:
        words = "are waiting already" if new == 1 else f"may wait, and there is no room for {new:,} more"
        raise QueueFull(f"{max_queued:,} jobs {words}; submit again when some are done")


def columns_of(parsed: ParsedJob) -> dict[str, Any]:
    """A parsed job by the names of the columns of `jobs`."""
    spec, stage = parsed.spec, stage_named(parsed.spec.stage)
    return {
        "stage": spec.stage, "numerics_version": stage.numerics_version, "name": spec.name, "tags": dict(spec.tags),
        "spec": parsed.as_json, "spec_sha256": parsed.sha256, "resolved": parsed.resolved, "warnings": parsed.warnings,
        "steps": spec.steps, "dtype": spec.dtype, "priority": spec.priority,
        "queue": Queue.ANY if spec.device == "auto" else spec.device, "pool": spec.pool,
        "gpu_memory_mib": spec.gpu_memory_mib, "pack_key": parsed.pack_key, "state": State.QUEUED,
    }  # fmt: skip
