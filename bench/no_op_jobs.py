"""Jobs of one step on three points, without HTTP, Redis or runner: submitted, claimed and recorded as the service does.

A worker stores the losses, a checkpoint, a result and the events of each.
"""

import gc
import json
import os
from io import BytesIO
from typing import Any

import numpy as np

from gradyard.jobs.curves import Summary
from gradyard.jobs.identifiers import new_id
from gradyard.jobs.settings import Settings
from gradyard.jobs.stages.registry import STAGES
from gradyard.jobs.submission.batches import ParsedBatch, parse_batch
from gradyard.store import fleet, lifecycle
from gradyard.store.bulk import FEWEST
from gradyard.store.database import Database
from gradyard.store.fleet import WorkerInfo
from gradyard.store.lifecycle import Claim, Ended, Outcome, Progress
from service.garbage_collector import spare_what_is_loaded
from workers.celery_side.celery_child import COLLECT_AFTER

LEASE_SECONDS = 600.0
STATE = bytes(150)  # about the size of a checkpoint with four coefficients
SPEC: dict[str, Any] = {"stage": "tensor", "steps": 1, "dataset": {"points": 3}}


def body(jobs: int) -> bytes:
    """The body of a POST of a batch of that many jobs."""
    return json.dumps({"jobs": [SPEC | {"seed": seed} for seed in range(jobs)]}).encode()


def register(database: Database) -> WorkerInfo:
    """Let a worker of CPU jobs enter."""
    stages = {name: stage.numerics_version for name, stage in STAGES.items()}
    worker = WorkerInfo(new_id(), "bench", "cpu-0", "cpu", os.getpid(), stages)
    with database.begin() as connection:
        fleet.register(connection, worker, LEASE_SECONDS)
    return worker


def collect_as_a_service_does() -> None:
    """Have Python's collector leave out what is loaded, and come as seldom as in a worker."""
    spare_what_is_loaded()
    gc.set_threshold(*COLLECT_AFTER)


def warm_up(database: Database) -> WorkerInfo:
    """Let a worker enter, and train a small batch: an API and workers have met their statements before.

    Few rows are stored by other statements than many.
    """
    worker = register(database)
    submit(database, parse_batch(BytesIO(body(2 * FEWEST)), Settings()))
    work_off(database, worker)
    return worker


def submit(database: Database, parsed: ParsedBatch) -> None:
    """Store the jobs of a batch."""
    with database.begin() as connection:
        lifecycle.submit_batch(connection, parsed, project_id=1, actor="bench", max_queued=10**6)


def claim(database: Database, worker: WorkerInfo) -> Claim | None:
    """Claim a pack; None where nothing waits."""
    with database.begin() as connection:
        return lifecycle.claim(connection, worker, LEASE_SECONDS)


def record(database: Database, claimed: Claim) -> None:
    """Store the losses and results of a pack, as a worker does."""
    progresses = _progresses(claimed)
    outcome = Outcome(dict.fromkeys("abcd", 0.5), "y = 0.5", {})
    ended = [Ended(each.held, outcome) for each in claimed.members]
    with database.begin() as connection:
        recorded = lifecycle.record_all(connection, progresses, ending={each.job_id for each in ended})
        assert len(lifecycle.succeed_all(connection, ended, actor="bench", recorded=recorded)) == len(ended)
        lifecycle.release(connection, claimed.id, actor="bench")


def work_off(database: Database, worker: WorkerInfo) -> None:
    """Claim and record until nothing waits."""
    while claimed := claim(database, worker):
        record(database, claimed)


def _progresses(claimed: Claim) -> list[Progress]:
    losses, summary = np.ones(claimed.steps, np.float32), Summary()
    summary.take(losses, 0)
    digest = "0" * 64
    return [Progress(each.held, 0, losses, summary, STATE, digest, digest) for each in claimed.members]
