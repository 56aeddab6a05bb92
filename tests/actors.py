"""Steps in the life of a job, for tests: submit, register, claim, succeed, fail. They call the real lifecycle."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import numpy as np
import orjson
import pytest
from sqlalchemy import Connection

from gradyard.jobs.curves import Summary
from gradyard.jobs.errors import DatabaseUnavailable
from gradyard.jobs.identifiers import new_id
from gradyard.jobs.settings import Settings
from gradyard.jobs.stages.registry import STAGES
from gradyard.jobs.states import Reason
from gradyard.jobs.submission.parse import parse_job
from gradyard.store import fleet, lifecycle
from gradyard.store.database import SILENT_TRANSACTION_SECONDS, Database
from gradyard.store.dialects import clock_of
from gradyard.store.fleet import WorkerInfo
from gradyard.store.lifecycle import Claim, ClaimedJob, Outcome, Progress

LEASE = 15.0


def submitted(database: Database, settings: Settings, **spec: object) -> UUID:
    """Submit a job to the default project and return its id. Without other fields it is `tensor` with 4 steps."""
    return submitted_to(1, database, settings, **spec)


def submitted_to(project_id: int, database: Database, settings: Settings, **spec: object) -> UUID:
    """Submit a job to that project and return its id. Without other fields it is `tensor` with 4 steps."""
    parsed = parse_job(orjson.dumps({"stage": "tensor", "steps": 4} | spec), settings)
    with database.begin() as connection:
        return lifecycle.submit(connection, parsed, project_id=project_id, actor="test", max_queued=1000).job_id


def worker_of(database: Database, slot: str = "cpu-0", queue: str = "cpu", lease: float = LEASE) -> WorkerInfo:
    """Register a worker that offers every stage."""
    stages = {name: stage.numerics_version for name, stage in STAGES.items()}
    worker = WorkerInfo(new_id(), "host", slot, queue, 1, stages)
    with database.begin() as connection:
        fleet.register(connection, worker, lease)
    return worker


def claimed(database: Database, worker: WorkerInfo, lease: float = LEASE) -> Claim:
    """Let the worker claim jobs, and return the claim. At least one job must be claimable."""
    with database.begin() as connection:
        claim = lifecycle.claim(connection, worker, lease)
    assert claim is not None
    return claim


def progress_of(member: ClaimedJob, losses: list[float], start_step: int = 0, checkpoint: bool = True) -> Progress:
    """A record of these losses, with an arbitrary checkpoint."""
    blob = (b"state", "hash", "made by") if checkpoint else (None, "", "")
    array = np.array(losses, dtype=member.spec.get("dtype", "float32"))
    summary = Summary(train_seconds=0.25, records=1)
    summary.take(array, start_step)
    return Progress(member.held, start_step, array, summary, *blob)


def claimed_with(database: Database, worker: WorkerInfo, job_id: UUID) -> Claim:
    """Let the worker claim jobs until this one is among them; those before it succeed. Return its claim."""
    while True:
        claim = claimed(database, worker)
        if job_id in {member.id for member in claim.members}:
            return claim
        succeeds(database, claim)


def succeeds(database: Database, claim: Claim, losses: list[float] | None = None) -> None:
    """Let every member of the claim succeed with these losses."""
    with database.begin() as connection:
        for member in claim.members:
            assert lifecycle.record(connection, progress_of(member, losses or [4.0, 3.0, 2.0, 1.0]))
            outcome = Outcome({"a": 0.5, "b": 1.5}, "y = 0.5 + 1.5 x", {"engine": "eager"})
            assert lifecycle.succeed(connection, member.held, outcome, actor="worker")
        lifecycle.release(connection, claim.id, actor="worker")


def fails(database: Database, claim: Claim) -> None:
    """Let every member of the claim fail."""
    with database.begin() as connection:
        for member in claim.members:
            assert lifecycle.fail(connection, member.held, Reason.ERROR, "it broke", actor="worker")
        lifecycle.release(connection, claim.id, actor="worker")


def expires(connection: Connection) -> int:
    """Queue again the jobs of all expired claims, as maintenance does. Returns how many."""
    claims = lifecycle.expired_claims(connection)
    return sum(lifecycle.expire_claim(connection, each, actor="maintenance") for each in claims)


@contextmanager
def silent_record(database: Database, claim: Claim, seconds: float = SILENT_TRANSACTION_SECONDS) -> Iterator[None]:
    """During the block another process stands in the middle of a record of this claim. It must lose its transaction.

    seconds: after which PostgreSQL ends it.
    """
    other = Database(database.url, pool_size=1, silent_transaction_seconds=seconds)
    standing = other.begin()
    connection = standing.__enter__()
    assert lifecycle.record(connection, progress_of(claim.members[0], [4.0, 3.0]))
    try:
        yield
    except BaseException:
        connection.invalidate()
        raise
    with pytest.raises(DatabaseUnavailable):  # it wakes up
        standing.__exit__(None, None, None)
    other.close()


def clock_moves(database: Database) -> None:
    """Wait until the database's clock tells a later time. On SQLite it moves in milliseconds, and tests are quicker."""
    with database.read() as connection:
        before = clock_of(connection)
        while clock_of(connection) <= before:
            time.sleep(0.0005)


def waits_for_a_lock(database: Database) -> bool:
    """Whether a transaction of this database of PostgreSQL waits for another one."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with database.read() as connection:
        return bool(connection.exec_driver_sql(waiting).scalar_one())


@contextmanager
def nothing_else(database: Database) -> Iterator[None]:
    """Assert that the block changes no job and adds no event."""
    tables = "select * from jobs order by id", "select * from job_events order by job_id, sequence"
    with database.read() as connection:
        before = [connection.exec_driver_sql(query).all() for query in tables]
    yield
    with database.read() as connection:
        assert [connection.exec_driver_sql(query).all() for query in tables] == before
