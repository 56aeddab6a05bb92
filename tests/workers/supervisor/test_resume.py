"""A pack resumes from its checkpoints; where one cannot be used, its job is rewound and the pack is queued again."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import numpy as np

from gradyard.jobs.events import EventKind
from gradyard.jobs.settings import Settings
from gradyard.store import lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.lifecycle import Claim
from tests.actors import claimed, progress_of, submitted, worker_of
from workers.protocol.checkpoints import freeze
from workers.protocol.messages import HelloMessage
from workers.supervisor.pack import Pack
from workers.supervisor.resume import states_to_resume
from workers.supervisor.worker_context import WorkerContext

RUNNER = HelloMessage(1, {"numpy": "2", "torch": "2"}, "cpu", None, 1, "cpu")


def handed_back_at_step_2(database: Database, settings: Settings, *, damaged: bool) -> tuple[list[UUID], Claim]:
    """A pack of two, claimed again after a record of two steps. The checkpoint of the first may be damaged."""
    jobs = [submitted(database, settings, seed=seed) for seed in range(2)]
    worker = worker_of(database)
    first = claimed(database, worker)
    pack = Pack(first, RUNNER)
    with database.begin() as connection:
        for member in first.members:
            blob, sha256 = freeze({"a": np.array(float(member.spec["seed"]))})
            if damaged and member.id == jobs[0]:
                blob = blob[:-1] + bytes([blob[-1] ^ 1])
            record = progress_of(member, [2.0, 1.0])
            record = replace(record, checkpoint=blob, checkpoint_sha256=sha256, fingerprint=pack.fingerprint_of(member))
            assert lifecycle.record(connection, record)
        lifecycle.release(connection, first.id, actor="worker")
    return jobs, claimed(database, worker)


def context_on(database: Database) -> WorkerContext:
    nothing: Any = None
    return WorkerContext(nothing, worker_of(database, "cpu-1"), nothing, lambda: False, database, nothing)


def test_a_handed_back_pack_has_the_states_of_its_checkpoints(database: Database, settings: Settings) -> None:
    _, claim = handed_back_at_step_2(database, settings, damaged=False)
    states = states_to_resume(Pack(claim, RUNNER), context_on(database))
    assert states is not None
    assert [state["a"].item() for state in states] == [float(member.spec["seed"]) for member in claim.members]


def test_a_damaged_checkpoint_rewinds_its_job_and_queues_the_pack_again(database: Database, settings: Settings) -> None:
    jobs, claim = handed_back_at_step_2(database, settings, damaged=True)
    pack = Pack(claim, RUNNER)
    assert states_to_resume(pack, context_on(database)) is None
    assert pack.members == {}
    with database.read() as connection:
        rows = [queries.job_by_id(connection, 1, job) for job in jobs]
        events = [queries.events_of(connection, 1, job)[0][-1] for job in jobs]
    assert [(row.state, row.start_step) for row in rows] == [("queued", 0), ("queued", 2)]
    assert [event.kind for event in events] == [EventKind.CHECKPOINT_UNUSABLE] * 2
    assert events[0].detail == "its checkpoint cannot be used: back to step 0"
