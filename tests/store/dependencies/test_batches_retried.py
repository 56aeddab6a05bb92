"""A batch that others wait for is retried, or deleted, while others look at it or name it."""

from uuid import UUID

import orjson
import pytest
from sqlalchemy import Connection, func, select, text

from gradyard.jobs.settings import Settings
from gradyard.jobs.states import State
from gradyard.jobs.submission.parse import parse_job
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.lifecycle import SubmittedBatch
from gradyard.store.lifecycle.dependencies import decide
from gradyard.store.upkeep.waits import end_forgotten_waits
from tests.actors import submitted
from tests.store.dependencies.pipelines import (
    after,
    ended,
    ends,
    follow,
    members_of,
    row_of,
)
from tests.store.interleaving import Stage, interrupted_once, played
from tests.store.one_job import forget_everything
from tests.store.test_batches import stored, taken
from tests.store.test_batches_retried import retried

SPEC = {"stage": "tensor", "steps": 4}


def two_that_end(database: Database) -> SubmittedBatch:
    """A batch without dependencies whose two jobs wait for a worker."""
    return stored(database, {"spec": SPEC, "grid": {"seed": {"stop": 2}}})


def submit_after(connection: Connection, settings: Settings, *others: UUID) -> UUID:
    """Submit a job that waits for the end of these."""
    parsed = parse_job(orjson.dumps(SPEC | {"depends_on": [ended(each) for each in others]}), settings)
    return lifecycle.submit(connection, parsed, project_id=1, actor="test", max_queued=99).job_id


def retry_failed(connection: Connection, settings: Settings, batch: SubmittedBatch, jobs: list[UUID]) -> None:
    """Retry these failed jobs of the batch in place."""
    parsed = dict.fromkeys(jobs, parse_job(orjson.dumps(SPEC), settings))
    lifecycle.retry_batch(
        connection, batch.batch_id, parsed, states=[State.FAILED], project_id=1, actor="test", max_queued=99
    )


def test_the_end_of_a_retried_batch_is_heard_of(database: Database, settings: Settings) -> None:
    first, batch = submitted(database, settings), two_that_end(database)
    job = after(database, settings, first, ended(batch.batch_id))
    ends(database, *members_of(database, batch), state=State.FAILED)
    follow(database)  # it has ended, and the job waits for the first one still
    assert retried(database, settings, batch.batch_id).retried == 2
    ends(database, first)
    assert follow(database) == {}
    ends(database, *members_of(database, batch)[2:])
    assert follow(database) == {"cpu": 1}
    assert row_of(database, job).queue == "cpu"


def test_a_retry_by_an_older_version_is_heard_of_in_the_end(database: Database, settings: Settings) -> None:
    first, batch = submitted(database, settings), two_that_end(database)
    job = after(database, settings, first, ended(batch.batch_id))
    ends(database, *members_of(database, batch), state=State.FAILED)
    follow(database)
    retried(database, settings, batch.batch_id)
    with database.begin() as connection:
        connection.execute(text("UPDATE batches SET followed = false"))  # it knows no mark
    ends(database, first)
    follow(database)
    end_forgotten_waits(database)
    assert follow(database) == {}, "the retry has not ended"
    ends(database, *members_of(database, batch)[2:])
    end_forgotten_waits(database)
    assert follow(database) == {"cpu": 1}
    assert row_of(database, job).queue == "cpu"


def test_a_batch_that_is_retried_while_its_end_is_looked_at_is_heard_of_again(
    stage: Stage, settings_of_stage: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look has seen the batch ended and stands still before it locks the row; the retry commits meanwhile."""
    database = stage.database
    gate = func.pg_advisory_xact_lock_shared(7).is_not(None)
    monkeypatch.setattr(decide, "_ended_batches", decide._ended_batches.where(gate))
    forget_everything(database)
    batch = two_that_end(database)
    job = after(database, settings_of_stage, ended(batch.batch_id))
    members = members_of(database, batch)
    ends(database, *members, state=State.FAILED)

    def retry(connection: Connection) -> None:
        connection.execute(select(func.pg_advisory_xact_lock(7)))
        retry_failed(connection, settings_of_stage, batch, members)

    stage.play(retry, decide.decide_some, "abb" + "a" * 40)
    follow(database)
    ends(database, *members_of(database, batch)[2:])
    assert follow(database) == {"cpu": 1}
    assert row_of(database, job).queue == "cpu"


def test_a_batch_and_a_job_that_wait_for_the_same_do_not_block_each_other(
    stage: Stage, settings_of_stage: Settings
) -> None:
    database, done = stage.database, list[str]()  # twice, where a deadlock ended it
    forget_everything(database)
    first = submitted(database, settings_of_stage)

    def batch(connection: Connection) -> None:
        done.append("batch")
        parsed = taken({"spec": SPEC, "grid": {"seed": {"stop": 2}}, "depends_on": [str(first)]})
        lifecycle.submit_batch(connection, parsed, project_id=1, actor="test", max_queued=99)

    def job(connection: Connection) -> None:
        done.append("job")
        submit_after(connection, settings_of_stage, first)

    plays = played(stage, batch, job, interrupted_once, before=done.clear)
    assert all(sorted(done) == ["batch", "job"] for _ in plays), done


def test_a_batch_that_is_retried_and_one_that_is_named_do_not_block_each_other(
    stage: Stage, settings_of_stage: Settings
) -> None:
    """The retried one waits for the other one too, and a job for both."""
    database, done = stage.database, list[str]()
    forget_everything(database)
    older = two_that_end(database)
    spec = SPEC | {"depends_on": [ended(older.batch_id)]}
    newer = stored(database, {"spec": spec, "grid": {"seed": {"stop": 2}}})
    members = members_of(database, newer)
    ends(database, members[0], state=State.FAILED)

    def retry(connection: Connection) -> None:
        done.append("retry")
        retry_failed(connection, settings_of_stage, newer, members[:1])

    def job(connection: Connection) -> None:
        done.append("job")
        submit_after(connection, settings_of_stage, older.batch_id, newer.batch_id)

    plays = played(stage, retry, job, interrupted_once, before=done.clear)
    assert all(sorted(done) == ["job", "retry"] for _ in plays), done


def test_a_member_is_not_deleted_while_a_job_that_names_it_is_submitted(
    stage: Stage, settings_of_stage: Settings
) -> None:
    database = stage.database
    forget_everything(database)
    first, batch = submitted(database, settings_of_stage), two_that_end(database)
    members = members_of(database, batch)
    ends(database, *members)

    def submit(connection: Connection) -> object:
        return submit_after(connection, settings_of_stage, members[0], first)

    def delete(connection: Connection) -> object:
        return lifecycle.delete_batch_slice(connection, 1, batch.batch_id)

    for schedule, job, deleted in played(stage, submit, delete, interrupted_once):
        assert (job == "SpecInvalid") is (deleted != "IllegalMove"), schedule
