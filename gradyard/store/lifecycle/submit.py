"""A job is stored, once for each idempotency key."""

import hashlib
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, select, update

from gradyard.jobs.errors import Gone, IdempotencyKeyReused
from gradyard.jobs.events import EventKind
from gradyard.jobs.fleet import Queue
from gradyard.jobs.identifiers import new_id
from gradyard.jobs.stages.registry import stage_named
from gradyard.jobs.states import State
from gradyard.jobs.submission.parse import ParsedJob
from gradyard.store.dialects import insert_or_ignore, now
from gradyard.store.lifecycle.dependencies.begin import Waits
from gradyard.store.lifecycle.dependencies.of_requests import follow_all, of_job
from gradyard.store.lifecycle.fair_queueing import claim_order_of_jobs
from gradyard.store.lifecycle.moves import write_events
from gradyard.store.lifecycle.queue_capacity import QueueLimits, reserve_queue_capacity
from gradyard.store.summaries import store_jobs
from gradyard.store.tables import Batch, IdempotencyKey, Job


@dataclass(frozen=True)
class Submitted:
    """The job of a submission; `replayed` where an earlier submission with the same idempotency key made it."""

    job_id: UUID
    replayed: bool


def submit(
    connection: Connection, parsed: ParsedJob, *, project_id: int, actor: str, max_queued: int,
    key: str | None = None, body: bytes = b"", retry_of: UUID | None = None, recheck_of: Any = None,
    precedence: int = 0, max_queued_of_key: int = 0,
) -> Submitted:  # fmt: skip
    """Store a new queued job, or find the job that this idempotency key made before.

    It may be a retry of the job `retry_of`, or a recheck of the one in the row `recheck_of` of `jobs`. Raises
    IdempotencyKeyReused where the key came with another body, QueueFull where `max_queued` jobs of the project wait, or
    `max_queued_of_key` of the actor (0: any number), Gone where the original of a recheck was deleted meanwhile,
    SpecInvalid or IllegalMove where what it depends on is not there or has ended otherwise.
    """
    job_id = new_id()
    digest = hashlib.sha256(body).hexdigest()
    if key is not None and (earlier := claim_key(connection, project_id, key, digest, job_id)):
        return Submitted(earlier.job_id, replayed=True)
    if recheck_of is not None and connection.execute(_original, {"made": recheck_of.id}).first() is None:
        raise Gone(f"the job {recheck_of.id} was deleted")
    waits = Waits.of([(job_id, of_job(connection, project_id, parsed, retry_of))])
    follow_all(connection, waits)
    limits = QueueLimits(project_id, max_queued, actor, max_queued_of_key)
    reserve_queue_capacity(connection, limits)
    mine = limits.columns | {"id": job_id, "batch_id": None, "retry_of": retry_of}
    in_order = partial(claim_order_of_jobs, connection, project_id)
    [order] = waits.orders([job_id], [parsed.spec], precedence, in_order)
    columns = {**mine, **columns_of(parsed), **order, **_as_trained(recheck_of), **waits.columns(job_id)}
    store_jobs(connection, [columns], [parsed.parameters])
    waits.store(connection, project_id)
    repeated = {"retry": retry_of, "recheck": recheck_of and recheck_of.id}
    detail = next((f"a {how} of {old}" for how, old in repeated.items() if old is not None), None)
    write_events(connection, [job_id], None, State.QUEUED, EventKind.SUBMITTED, actor=actor, detail=detail)
    return Submitted(job_id, replayed=False)


def _as_trained(original: Any) -> dict[str, Any]:
    """Columns by which a recheck is trained as its original was: on the same kind of device, with the same engine.

    What a job may change, it has as the original has it by now.
    """
    if original is None:
        return {}
    device = {"queue": original.queue, "any_device": False, "engine": original.engine}
    by_now = {"name": original.name, "tags": original.tags, "priority": original.priority}
    return {"recheck_of": original.id} | device | by_now


def claim_key(
    connection: Connection, project_id: int, key: str, digest: str, job_id: UUID, batch_id: UUID | None = None,
    retried: int | None = None,
) -> Any:  # fmt: skip
    """Take an idempotency key for a job, or for a batch and its first job. Returns None, or the row of its earlier use.

    retried: how many jobs a retry of the batch, or of a question, makes. The row has job_id, batch_id and retried. A
    concurrent request with the same key is waited for. Raises IdempotencyKeyReused where the earlier body had another
    SHA-256.
    """
    row = {"project_id": project_id, "key": key, "body_sha256": digest, "job_id": job_id, "batch_id": batch_id,
           "retried": retried, "created_at": now()}  # fmt: skip
    taken = insert_or_ignore(connection, IdempotencyKey).values(row).returning(IdempotencyKey.job_id)
    earlier, mine = None, {"project": project_id, "of_key": key}
    while earlier is None:  # maintenance may forget the key between the two statements
        if connection.execute(taken).first():
            return None
        earlier = connection.execute(_earlier, mine).first()
    if earlier.body_sha256 != digest or (earlier.batch_id is None) != (batch_id is None):
        raise IdempotencyKeyReused(f"the idempotency key {key!r} came with another body before; use a new key")
    if batch_id is None and earlier.retried is not None:
        return earlier  # of a retry of a question: its answer is a number, whatever became of its jobs
    if connection.execute(_job_of_key if batch_id is None else _batch_of_key, {"made": _made_by(earlier)}).first():
        return earlier
    # What it made was deleted, so the key is free again.
    connection.execute(_take_key, mine | {f"new_{name}": value for name, value in row.items() if name in _OF_USE})
    return None


def _made_by(earlier: Any) -> UUID:
    made: UUID = earlier.batch_id or earlier.job_id
    return made


_OF_USE = ("body_sha256", "job_id", "batch_id", "retried")
_of_key = IdempotencyKey.project_id == bindparam("project"), IdempotencyKey.key == bindparam("of_key")
# The row stays locked until the transaction ends: of several requests with the key of a deleted job, one makes a job.
_earlier = select(*(IdempotencyKey.__table__.columns[name] for name in _OF_USE)).where(*_of_key).with_for_update()
_take_key = (
    update(IdempotencyKey).where(*_of_key)
    .values({name: bindparam(f"new_{name}") for name in _OF_USE}).values(created_at=now())
)  # fmt: skip
# Locked against a deletion until the answer is made; a worker may move it meanwhile.
_kept: dict[str, Any] = {"read": True, "key_share": True}
_original = _job_of_key = select(Job.id).where(Job.id == bindparam("made")).with_for_update(**_kept)
_batch_of_key = select(Batch.id).where(Batch.id == bindparam("made")).with_for_update(**_kept)


# Built once: building such statements costs more than executing them.


def columns_of(parsed: ParsedJob) -> dict[str, Any]:
    """A parsed job by the names of the columns of `jobs`."""
    spec, stage = parsed.spec, stage_named(parsed.spec.stage)
    return {
        "stage": spec.stage, "numerics_version": stage.numerics_version, "name": spec.name, "tags": dict(spec.tags),
        "spec": parsed.as_json, "spec_sha256": parsed.sha256, "resolved": parsed.resolved, "warnings": parsed.warnings,
        "steps": spec.steps, "dtype": spec.dtype, "priority": spec.priority,
        "queue": Queue.ANY if spec.device == "auto" else spec.device, "any_device": spec.device == "auto",
        "pool": spec.pool,
        "gpu_memory_mib": spec.gpu_memory_mib, "pack_key": parsed.pack_key, "state": State.QUEUED,
    }  # fmt: skip
