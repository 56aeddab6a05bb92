"""Reads the checkpoints that a handed-back pack resumes from; where one cannot be used, rewinds its job."""

from uuid import UUID

import structlog
from sqlalchemy import Connection

from gradyard.jobs.events import EventKind
from gradyard.store import lifecycle, queries
from gradyard.store.lifecycle import ClaimedJob
from workers.protocol.checkpoints import CheckpointUnusable, thaw
from workers.protocol.frame import Arrays
from workers.supervisor.pack import Pack
from workers.supervisor.worker_context import WorkerContext

log = structlog.get_logger()


def states_to_resume(pack: Pack, context: WorkerContext) -> list[Arrays] | None:
    """The members' states at the claim's start step; an empty list at step 0.

    None where a checkpoint cannot be used: its job is rewound to an older one or to step 0, all jobs of the pack are
    queued again, and the pack is empty.
    """
    step = pack.claim.start_step
    if step == 0:
        return []
    usable = {job.id: _usable(pack, context, job) for job in pack.claim.members}
    rewinds = {job.id: max(usable[job.id], default=0) for job in pack.claim.members if step not in usable[job.id]}
    if not rewinds:
        return [usable[job.id][step] for job in pack.claim.members]
    context.commit(lambda connection: _rewind(connection, pack, rewinds, context.actor))
    pack.remove(pack.in_order())
    return None


def _usable(pack: Pack, context: WorkerContext, job: ClaimedJob) -> dict[int, Arrays]:
    rows = context.read(lambda connection: queries.checkpoints_of(connection, job.id))
    states = {}
    for row in rows:
        try:
            states[row.step] = thaw(row.blob, row.sha256, row.fingerprint, pack.fingerprint_of(job))
        except CheckpointUnusable as error:
            log.warning("checkpoint unusable", job=str(job.id), step=row.step, error=str(error))
    return states


def _rewind(connection: Connection, pack: Pack, rewinds: dict[UUID, int], actor: str) -> None:
    for member in pack.in_order():
        job, detail = member.job, "the checkpoint of another job of its pack cannot be used"
        if job.id in rewinds:
            lifecycle.rewind(connection, job.held, rewinds[job.id])
            detail = f"its checkpoint cannot be used: back to step {rewinds[job.id]}"
        lifecycle.hand_back(connection, job.held, actor=actor, detail=detail, kind=EventKind.CHECKPOINT_UNUSABLE)
