"""The failed jobs of a batch are submitted anew in the same batch, each of them once."""

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import orjson
import pytest

from gradyard.jobs.errors import IdempotencyKeyReused, QueueFull
from gradyard.jobs.questions.best import usual_aim
from gradyard.jobs.settings import Settings
from gradyard.jobs.states import Reason, State
from gradyard.jobs.submission.parse import parse_job
from gradyard.store import lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.fleet import WorkerInfo
from gradyard.store.lifecycle import RetriedBatch, SubmittedBatch
from tests.actors import claimed, fails, progress_of, submitted, succeeds, worker_of
from tests.store.test_batches import counts, stored

FOUR = {"jobs": [{"stage": "nn", "steps": 4 + (seed > 1), "seed": seed} for seed in range(4)]}


@pytest.fixture
def worker(database: Database) -> WorkerInfo:
    """The only worker: it claims all jobs of one shape at once."""
    return worker_of(database)


def batch_with_failures(database: Database, worker: WorkerInfo) -> SubmittedBatch:
    """Of four jobs the first two succeeded and the last two failed."""
    batch = stored(database, FOUR)
    succeeds(database, claimed(database, worker))
    fails(database, claimed(database, worker))
    return batch


def retried(
    database: Database, settings: Settings, batch: UUID, states: Collection[State] = (State.FAILED,),
    key: str | None = None, most: int = 1000,
) -> RetriedBatch:  # fmt: skip
    with database.read() as connection:
        members = queries.jobs_to_retry(connection, batch, states)
    parsed = {job.id: parse_job(orjson.dumps(job.spec), settings) for job in members}
    with database.begin() as connection:
        return lifecycle.retry_batch(
            connection, batch, parsed, states=states, project_id=1, actor="test", max_queued=most, key=key
        )


def members(database: Database, batch: UUID) -> list[Any]:
    """The oldest first."""
    with database.read() as connection:
        return queries.jobs_newest_first(connection, 1, limit=50, batch=batch).jobs[::-1]


def test_a_new_job_replaces_each_failed_one_in_the_counts(
    database: Database, settings: Settings, worker: WorkerInfo
) -> None:
    batch = batch_with_failures(database, worker)
    assert retried(database, settings, batch.batch_id) == RetriedBatch(2, replayed=False)
    assert counts(database, batch) == {"succeeded": 2, "queued": 2}
    jobs = members(database, batch.batch_id)
    assert [job.state for job in jobs] == ["succeeded", "succeeded", "failed", "failed", "queued", "queued"]
    assert [job.replaced_by for job in jobs] == [None, None, jobs[4].id, jobs[5].id, None, None]
    assert [job.retry_of for job in jobs] == [None, None, None, None, jobs[2].id, jobs[3].id]
    assert [job.spec for job in jobs[4:]] == [job.spec for job in jobs[2:4]]
    with database.read() as connection:
        events = queries.events_of(connection, 1, jobs[4].id)[0]
        assert queries.failures_of_batch(connection, batch.batch_id) == []
    assert [(event.sequence, event.kind, event.detail) for event in events] == [
        (1, "submitted", "a retry, with others of its batch")
    ]


def test_a_replacement_that_fails_is_replaced_in_its_turn(
    database: Database, settings: Settings, worker: WorkerInfo
) -> None:
    batch = batch_with_failures(database, worker)
    for _ in range(2):
        assert retried(database, settings, batch.batch_id).retried == 2
        fails(database, claimed(database, worker))
        assert counts(database, batch) == {"succeeded": 2, "failed": 2}
    assert retried(database, settings, batch.batch_id).retried == 2
    assert len(members(database, batch.batch_id)) == 10
    succeeds(database, claimed(database, worker), losses=[9.0, 8.0, 7.0, 6.0, 0.5])
    assert counts(database, batch) == {"succeeded": 4}
    with database.read() as connection:
        best = queries.best_jobs(connection, 1, usual_aim().order, limit=2, batch=batch.batch_id)
    assert [job.loss_last for job in best] == [0.5, 0.5]


def test_cancelled_jobs_are_retried_where_that_is_asked_for(
    database: Database, settings: Settings, worker: WorkerInfo
) -> None:
    batch = stored(database, FOUR)
    fails(database, claimed(database, worker))
    with database.begin() as connection:
        lifecycle.cancel_some(connection, batch.batch_id, actor="test")
    assert counts(database, batch) == {"failed": 2, "cancelled": 2}
    assert retried(database, settings, batch.batch_id).retried == 2
    assert counts(database, batch) == {"queued": 2, "cancelled": 2}
    assert retried(database, settings, batch.batch_id, [State.FAILED, State.CANCELLED]).retried == 2
    assert counts(database, batch) == {"queued": 4}
    assert retried(database, settings, batch.batch_id, [State.FAILED, State.CANCELLED]).retried == 0


def test_of_retries_at_the_same_time_one_replaces_each_job(
    database: Database, settings: Settings, worker: WorkerInfo
) -> None:
    batch = batch_with_failures(database, worker)
    with database.read() as connection:
        read = queries.jobs_to_retry(connection, batch.batch_id, [State.FAILED])
    parsed = {job.id: parse_job(orjson.dumps(job.spec), settings) for job in read}

    def retry(_: int) -> int:
        with database.begin() as connection:
            return lifecycle.retry_batch(
                connection, batch.batch_id, parsed, states=[State.FAILED], project_id=1, actor="test", max_queued=1000
            ).retried

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(retry, range(2))) == [0, 2]
    assert counts(database, batch) == {"succeeded": 2, "queued": 2}


def test_a_key_retries_once_and_tells_the_same_again(
    database: Database, settings: Settings, worker: WorkerInfo
) -> None:
    batch = batch_with_failures(database, worker)
    assert retried(database, settings, batch.batch_id, key="k") == RetriedBatch(2, replayed=False)
    fails(database, claimed(database, worker))
    assert retried(database, settings, batch.batch_id, key="k") == RetriedBatch(2, replayed=True)
    assert counts(database, batch) == {"succeeded": 2, "failed": 2}
    with pytest.raises(IdempotencyKeyReused):
        retried(database, settings, batch.batch_id, [State.CANCELLED], key="k")
    with pytest.raises(IdempotencyKeyReused):
        stored(database, FOUR, key="k")


def test_what_does_not_fit_into_the_queue_is_not_retried_at_all(
    database: Database, settings: Settings, worker: WorkerInfo
) -> None:
    batch = batch_with_failures(database, worker)
    submitted(database, settings)
    with pytest.raises(QueueFull):
        retried(database, settings, batch.batch_id, key="k", most=2)
    assert counts(database, batch) == {"succeeded": 2, "failed": 2}
    assert {job.replaced_by for job in members(database, batch.batch_id)} == {None}
    assert retried(database, settings, batch.batch_id, key="k", most=3).retried == 2


def test_a_job_that_is_deleted_meanwhile_is_not_retried(
    database: Database, settings: Settings, worker: WorkerInfo
) -> None:
    batch = batch_with_failures(database, worker)
    gone = members(database, batch.batch_id)[2]
    parsed = {gone.id: parse_job(orjson.dumps(gone.spec), settings)}
    with database.begin() as connection:
        lifecycle.delete_job(connection, 1, gone.id)
        done = lifecycle.retry_batch(
            connection, batch.batch_id, parsed, states=[State.FAILED], project_id=1, actor="test", max_queued=1000
        )
    assert done.retried == 0
    assert counts(database, batch) == {"succeeded": 2, "failed": 1}


def test_failures_are_told_by_reason_with_one_of_each(database: Database, worker: WorkerInfo) -> None:
    batch = stored(database, {"jobs": [{"stage": "nn", "steps": 4, "seed": seed} for seed in range(6)]})
    claim = claimed(database, worker)
    ends = [Reason.DIVERGED, Reason.ERROR, Reason.ERROR, Reason.TIMEOUT, Reason.ERROR]
    with database.begin() as connection:
        for number, (member, reason) in enumerate(zip(claim.members, ends, strict=False)):
            lifecycle.record(connection, progress_of(member, [1.0]))
            lifecycle.fail(connection, member.held, reason, f"message {number}", actor="test")
        failures = queries.failures_of_batch(connection, batch.batch_id)
    ids = [member.id for member in claim.members]
    assert [tuple(each) for each in failures] == [
        ("error", 3, ids[1], "message 1"), ("diverged", 1, ids[0], "message 0"), ("timeout", 1, ids[3], "message 3"),
    ]  # fmt: skip
