"""Submissions at the same moment: one job for each idempotency key, and never more jobs than the cap."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, delete, event, select, update

from gradyard.jobs.errors import QueueFull
from gradyard.jobs.identifiers import new_id
from gradyard.jobs.submission.parse import ParsedJob
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.lifecycle import queue_capacity
from gradyard.store.tables import IdempotencyKey, Job
from tests.store.submissions import at_once, submitted, submitted_batch, waiting

KEY: dict[str, Any] = {"key": "mine", "body": b"{}"}


# SQLite has one writer at a time, so nothing can come between.
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.mark.parametrize("round_", range(5))
def test_a_key_whose_job_was_deleted_makes_one_job_for_posts_at_once(
    database: Database, parsed: ParsedJob, round_: int
) -> None:
    with database.begin() as connection:
        first = submitted(connection, parsed, **KEY)
        lifecycle.request_cancel(connection, first, actor="test")
        assert lifecycle.delete_job(connection, 1, first)
    made = set(at_once(database, 3, lambda connection: submitted(connection, parsed, **KEY)))
    assert len(made) == 1
    assert first not in made
    assert waiting(database) == 1


def test_a_key_whose_batch_was_deleted_makes_one_batch_for_posts_at_once(database: Database, parsed: ParsedJob) -> None:
    with database.begin() as connection:
        first = submitted_batch(connection, parsed, 2, 1000, key="mine")
        lifecycle.cancel_some(connection, first, actor="test")
        assert not lifecycle.delete_batch_slice(connection, 1, first).more
    made = at_once(database, 3, lambda connection: submitted_batch(connection, parsed, 2, 1000, key="mine"))
    assert len(set(made)) == 1
    assert waiting(database) == 2


@on_postgresql
def test_a_key_that_is_forgotten_between_two_looks_makes_a_job(database: Database, parsed: ParsedJob) -> None:
    with database.begin() as connection:
        first = submitted(connection, parsed, **KEY)
    other, forgotten = Database(database.url), list[int]()

    @event.listens_for(database.engine, "after_cursor_execute")
    def forget(*call: Any) -> None:
        if call[2].startswith("INSERT INTO idempotency_keys") and not forgotten:
            with other.begin() as connection:
                forgotten.append(connection.execute(delete(IdempotencyKey)).rowcount)

    with database.begin() as connection:
        second = submitted(connection, parsed, **KEY)
    other.close()
    assert forgotten == [1]
    assert second != first
    with database.begin() as connection:
        assert submitted(connection, parsed, **KEY) == second


@on_postgresql
def test_a_job_is_not_deleted_between_the_look_at_its_key_and_the_answer(database: Database, parsed: ParsedJob) -> None:
    with database.begin() as connection:
        first = submitted(connection, parsed, **KEY)
        lifecycle.request_cancel(connection, first, actor="test")
    with ThreadPoolExecutor(1) as threads, database.begin() as connection:
        assert submitted(connection, parsed, **KEY) == first

        def delete_it() -> bool:
            with database.begin() as other:
                return lifecycle.delete_job(other, 1, first)

        deletion = threads.submit(delete_it)
        with pytest.raises(TimeoutError):
            deletion.result(0.3)
        assert connection.execute(select(Job.id)).scalar() == first
        connection.commit()
        assert deletion.result(10)


@pytest.mark.parametrize("size", [0, 2])
def test_posts_at_once_never_make_more_jobs_than_may_wait(database: Database, parsed: ParsedJob, size: int) -> None:
    def post(connection: Connection) -> UUID:
        return submitted_batch(connection, parsed, size, 5) if size else submitted(connection, parsed, 5)

    made = at_once(database, 8, post)
    assert len([each for each in made if each]) == 5 // (size or 1)
    assert waiting(database) == 5 - 5 % (size or 1)


def test_single_jobs_and_batches_at_once_never_make_more_jobs_than_may_wait(
    database: Database, parsed: ParsedJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_capacity, "AT_ONCE", 8)
    with database.begin() as connection:
        submitted_batch(connection, parsed, 20, 100)
    kinds = iter([True, False] * 4)

    def post(connection: Connection) -> UUID:
        return submitted_batch(connection, parsed, 25, 100) if next(kinds) else submitted(connection, parsed, 100)

    at_once(database, 8, post)
    assert waiting(database) <= 100
    while None not in at_once(database, 8, lambda connection: submitted(connection, parsed, 100)):
        assert waiting(database) <= 100
    assert waiting(database) == 100


@on_postgresql
def test_far_from_the_cap_submissions_do_not_wait_for_one_another(database: Database, parsed: ParsedJob) -> None:
    with database.begin() as one, database.begin() as other:
        assert submitted(one, parsed, 10_000) != submitted(other, parsed, 10_000)


def test_a_full_queue_has_room_again_when_jobs_have_left_it(database: Database, parsed: ParsedJob) -> None:
    at_once(database, 3, lambda connection: submitted(connection, parsed, 2))
    with database.begin() as connection, pytest.raises(QueueFull):
        submitted(connection, parsed, 2)
    with database.begin() as connection:
        one = connection.execute(select(Job.id).limit(1)).scalar_one()
        connection.execute(update(Job).where(Job.id == one).values(state="cancelled", finished_at=1.0))
        assert submitted(connection, parsed, 2) != new_id()
