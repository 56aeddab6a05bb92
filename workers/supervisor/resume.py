"""Where a handed-back pack goes on: its members' checkpoints, or back to older ones where those are no good."""

from typing import Any

import numpy as np
import structlog
from sqlalchemy import Connection

from gradyard.store import lifecycle, queries
from gradyard.store.lifecycle import ClaimedJob
from workers.protocol.checkpoints import CheckpointUnusable, thaw
from workers.supervisor.pack import Pack
from workers.supervisor.worker_context import WorkerContext

log = structlog.get_logger()

State = dict[str, np.ndarray]


def states_to_resume(pack: Pack, context: WorkerContext, *, actor: str) -> list[State] | None:
    """The members' states at the claim's start step (an empty list at step 0).

    None where a checkpoint was no good: that job is back at an older one, or at step 0, and all are queued again.
    """
    step = pack.claim.start_step
    if step == 0:
        return []
    found = {job.id: _usable(pack, context, job) for job in pack.claim.members}
    spoiled = {job.id: max(found[job.id], default=0) for job in pack.claim.members if step not in found[job.id]}
    if not spoiled:
        return [found[job.id][step] for job in pack.claim.members]
    context.commit(lambda connection: _go_back(connection, pack, spoiled, actor))
    pack.members.clear()
    return None


def _usable(pack: Pack, context: WorkerContext, job: ClaimedJob) -> dict[int, State]:
    rows = context.ask(lambda connection: queries.checkpoints_of(connection, job.id))
    states = {}
    for row in rows:
        try:
            states[row.step] = thaw(row.blob, row.sha256, row.fingerprint, pack.fingerprint_of(job))
        except CheckpointUnusable as error:
            log.warning("checkpoint passed over", job=str(job.id), step=row.step, error=str(error))
    return states


def _go_back(connection: Connection, pack: Pack, spoiled: dict[Any, int], actor: str) -> None:
    for member in pack.in_order():
        job, detail = member.job, "its pack changed"
        if job.id in spoiled:
            lifecycle.rewind(connection, job.id, job.attempt, spoiled[job.id])
            detail = f"its checkpoint is no good: back to step {spoiled[job.id]}"
        lifecycle.hand_back(connection, job.id, job.attempt, actor=actor, detail=detail)
