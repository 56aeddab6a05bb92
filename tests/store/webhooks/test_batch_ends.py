"""The end of a batch is told in one message, also where several end its jobs at once; a retried one ends again."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import UUID

import orjson
import pytest
from sqlalchemy import Connection, delete, select

from gradyard.jobs.settings import Settings
from gradyard.jobs.states import Reason, State
from gradyard.jobs.submission.parse import parse_job
from gradyard.jobs.webhooks.events import WebhookEvent
from gradyard.store import lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.lifecycle import Claim, Fence, RetriedBatch
from gradyard.store.tables import Job
from gradyard.store.webhooks import messages
from gradyard.store.webhooks.messages import make_messages
from tests.actors import claimed, fails, submitted, succeeds, worker_of
from tests.store.interleaving import interrupted_anywhere, stage_on
from tests.store.test_batches import stored
from tests.store.test_batches_retried import retried
from tests.store.webhooks.webhooks_for_tests import notices, told, webhook_of

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
FINISHED = [WebhookEvent.BATCH_FINISHED]


def batch_of(database: Database, jobs: int) -> UUID:
    """A batch whose jobs are of different shapes, so that each has a claim of its own."""
    members = [{"stage": "tensor", "steps": 4 + number} for number in range(jobs)]
    return stored(database, {"jobs": members, "name": "sweep"}).batch_id


def fail_members(database: Database, claim: Claim) -> None:
    with database.begin() as connection:
        for member in claim.members:
            assert lifecycle.fail(connection, member.held, Reason.ERROR, "it broke", actor="worker")


def fail(connection: Connection, held: Fence) -> bool:
    return lifecycle.fail(connection, held, Reason.ERROR, "it broke", actor="worker")


def retry(connection: Connection, batch: UUID, settings: Settings) -> RetriedBatch:
    failed = (State.FAILED,)
    members = queries.jobs_to_retry(connection, batch, failed)
    parsed = {job.id: parse_job(orjson.dumps(job.spec), settings) for job in members}
    return lifecycle.retry_batch(connection, batch, parsed, states=failed, project_id=1, actor="test", max_queued=1000)


def test_a_batch_is_told_with_its_last_job(database: Database) -> None:
    webhook_of(database, FINISHED)
    batch, worker = batch_of(database, 2), worker_of(database)
    fails(database, claimed(database, worker))
    assert told(database) == []
    succeeds(database, claimed(database, worker), [1.0] * 5)
    ((kind, data),) = told(database)
    assert kind == "batch.finished"
    assert (data["id"], data["name"], data["size"], data["project"]) == (str(batch), "sweep", 2, "default")
    assert {state: count for state, count in data["counts"].items() if count} == {"failed": 1, "succeeded": 1}


def test_a_cancelled_batch_is_told_once_however_many_slices_it_takes(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle.cancel, "CANCEL_SLICE", 3)
    monkeypatch.setattr(messages, "SLICE", 2)
    webhook_of(database, FINISHED)
    batch = batch_of(database, 10)
    more = True
    while more:
        with database.begin() as connection:
            more = lifecycle.cancel_some(connection, batch, actor="test", wait=True).more
        told(database)
    assert [kind for kind, _ in told(database)] == ["batch.finished"]


def test_a_batch_of_many_notices_is_told_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "SLICE", 2)
    webhook_of(database)
    batch = batch_of(database, 7)
    with database.begin() as connection:
        lifecycle.cancel_some(connection, batch, actor="test", wait=True)
    kinds = [kind for kind, _ in told(database)]
    assert (kinds.count("job.cancelled"), kinds.count("batch.finished")) == (7, 1)


def test_a_batch_that_is_retried_ends_again(database: Database, settings: Settings) -> None:
    webhook_of(database, FINISHED)
    batch, worker = batch_of(database, 1), worker_of(database)
    for round in range(1, 4):
        fails(database, claimed(database, worker))
        assert len(told(database)) == round
        assert retried(database, settings, batch).retried == 1
        assert len(told(database)) == round


def test_an_end_is_told_also_where_the_batch_is_retried_before_the_outbox_is_looked_at(
    database: Database, settings: Settings
) -> None:
    webhook_of(database)
    batch, worker = batch_of(database, 1), worker_of(database)
    for _ in range(3):
        fails(database, claimed(database, worker))
        assert retried(database, settings, batch).retried == 1
    kinds = [kind for kind, _ in told(database)]
    assert (kinds.count("job.failed"), kinds.count("batch.finished")) == (3, 3)


def test_a_batch_that_was_deleted_meanwhile_is_told_without_its_counts(database: Database) -> None:
    webhook_of(database, FINISHED)
    batch = batch_of(database, 1)
    succeeds(database, claimed(database, worker_of(database)))
    more = True
    while more:
        with database.begin() as connection:
            more = lifecycle.delete_batch_slice(connection, 1, batch).more
    ((_, data),) = told(database)
    assert (data["id"], data["counts"], data["name"]) == (str(batch), None, None)


def test_jobs_without_a_batch_end_none(database: Database, settings: Settings) -> None:
    webhook_of(database, FINISHED)
    submitted(database, settings)
    succeeds(database, claimed(database, worker_of(database)))
    assert told(database) == []
    assert notices(database) == []


@on_postgresql  # SQLite has one writer at a time
def test_the_last_two_jobs_that_end_at_once_end_their_batch_once(database: Database) -> None:
    webhook_of(database, FINISHED)
    batch_of(database, 2)
    first, second = (claimed(database, worker_of(database, f"cpu-{slot}")) for slot in range(2))
    with database.begin() as connection:
        lifecycle.fail(connection, first.members[0].held, Reason.ERROR, "it broke", actor="worker")
        fail_members(database, second)  # neither transaction sees the other's job as ended
        assert told(database) == []
    assert [kind for kind, _ in told(database)] == ["batch.finished"]


@on_postgresql
def test_no_order_of_an_end_and_a_look_at_the_outbox_loses_or_doubles_a_message(
    database: Database, settings: Settings
) -> None:
    webhook_of(database, FINISHED)
    worker = worker_of(database)
    with stage_on(database) as stage:
        for count, schedule in enumerate(interrupted_anywhere(6, 9)[::4], start=1):
            batch_of(database, 2)
            fails(database, claimed(database, worker))
            last = claimed(database, worker).members[0].held
            stage.play(partial(fail, held=last), make_messages, schedule)
            assert len(told(database)) == count, schedule


@on_postgresql
def test_no_order_of_a_retry_and_a_look_at_the_outbox_loses_or_doubles_a_message(
    database: Database, settings: Settings
) -> None:
    webhook_of(database, FINISHED)
    worker = worker_of(database)
    with stage_on(database) as stage:
        for count, schedule in enumerate(interrupted_anywhere(7, 9)[::6], start=1):
            batch = batch_of(database, 1)
            fails(database, claimed(database, worker))
            stage.play(partial(retry, batch=batch, settings=settings), make_messages, schedule)
            assert len(told(database)) == count, schedule
            with database.begin() as connection:
                connection.execute(delete(Job).where(Job.batch_id == batch, Job.state == State.QUEUED))


def test_threads_that_end_a_batch_while_others_look_tell_it_once(database: Database) -> None:
    webhook_of(database)
    batch = batch_of(database, 12)
    claims = [claimed(database, worker_of(database, f"cpu-{slot}")) for slot in range(12)]

    def look(_: int) -> None:
        for _ in range(6):
            with database.begin() as connection:
                make_messages(connection)

    with ThreadPoolExecutor(6) as threads:
        looking = [threads.submit(look, number) for number in range(2)]
        list(threads.map(lambda claim: fails(database, claim), claims))
        for each in looking:
            each.result()
    kinds = [kind for kind, _ in told(database)]
    assert (kinds.count("job.failed"), kinds.count("batch.finished")) == (12, 1)
    with database.read() as connection:
        ended = connection.execute(select(Job.state).where(Job.batch_id == batch)).scalars().all()
    assert set(ended) == {"failed"}
