"""How many jobs of a key may wait: exact, also for submissions at once, in whichever project; by default any number."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, event, func, insert, literal, select, text

from gradyard.jobs.errors import QueueFull, SpecInvalid
from gradyard.jobs.identifiers import new_id
from gradyard.jobs.submission.parse import ParsedJob
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.lifecycle import queue_capacity
from gradyard.store.lifecycle.actions.retry import retry_jobs
from gradyard.store.tables import Job
from tests.store import submissions
from tests.store.submissions import at_once, waiting
from tests.store.test_query_plans import plan_of

ADA, BOB = "api:ada@physics", "api:bob@physics"
FAR = {"max_queued": 100_000}  # from the limit of the project, whose locks let no one wait


@pytest.fixture
def other_project(database: Database) -> int:
    """The number of a second project."""
    with database.begin() as connection:
        connection.execute(text("INSERT INTO projects (id, name) VALUES (2, 'biology')"))
    return 2


def submitted(connection: Connection, parsed: ParsedJob, most: int, actor: str = ADA, **more: Any) -> UUID:
    return submissions.submitted(connection, parsed, actor=actor, max_queued_of_key=most, **(FAR | more))


def submitted_batch(connection: Connection, parsed: ParsedJob, size: int, most: int, actor: str = ADA) -> UUID:
    return submissions.submitted_batch(connection, parsed, size, **FAR, actor=actor, max_queued_of_key=most)


def counted(database: Database) -> dict[str | None, int]:
    """How many jobs wait, by the key whose limit counts them."""
    asked = select(Job.counted_for, func.count()).where(Job.state == "queued").group_by(Job.counted_for)
    with database.read() as connection:
        return {row[0]: row[1] for row in connection.execute(asked)}


@pytest.mark.parametrize("size", [0, 2])
def test_posts_at_once_never_make_more_jobs_of_a_key_than_may_wait(
    database: Database, parsed: ParsedJob, size: int
) -> None:
    def post(connection: Connection) -> UUID:
        return submitted_batch(connection, parsed, size, 5) if size else submitted(connection, parsed, 5)

    made = at_once(database, 8, post)
    assert len([each for each in made if each]) == 5 // (size or 1)
    assert counted(database) == {ADA: 5 - 5 % (size or 1)}


@pytest.mark.parametrize("at_once_", [8, 1000])
def test_single_jobs_and_batches_at_once_never_make_more_jobs_of_a_key_than_may_wait(
    database: Database, parsed: ParsedJob, monkeypatch: pytest.MonkeyPatch, at_once_: int
) -> None:
    monkeypatch.setattr(queue_capacity, "AT_ONCE", at_once_)
    kinds = iter([True, False] * 4)

    def post(connection: Connection) -> UUID:
        return submitted_batch(connection, parsed, 25, 80) if next(kinds) else submitted(connection, parsed, 80)

    at_once(database, 8, post)
    assert waiting(database) <= 80
    while None not in at_once(database, 8, lambda connection: submitted(connection, parsed, 80)):
        assert waiting(database) <= 80
    assert counted(database) == {ADA: 80}


def test_a_key_that_names_several_projects_has_one_limit(
    database: Database, parsed: ParsedJob, other_project: int
) -> None:
    projects: Iterator[int] = iter([1, other_project] * 4)

    def post(connection: Connection) -> UUID:
        return submitted(connection, parsed, 5, project_id=next(projects))

    assert at_once(database, 8, post).count(None) == 3
    assert counted(database) == {ADA: 5}


def test_the_limit_of_one_key_is_no_other_s(database: Database, parsed: ParsedJob) -> None:
    with database.begin() as connection:
        submitted_batch(connection, parsed, 3, 3)
        submitted(connection, parsed, 3, BOB)
    message = "^3 jobs submitted by api:ada@physics are waiting already; submit again when some are done$"
    with database.begin() as connection, pytest.raises(QueueFull, match=message):
        submitted(connection, parsed, 3)
    with database.begin() as connection, pytest.raises(QueueFull, match=r"submitted by api:bob.* no room for 3 more"):
        submitted_batch(connection, parsed, 3, 3, BOB)
    with database.begin() as connection, pytest.raises(SpecInvalid, match="4 jobs; at most 3 of a key may wait"):
        submitted_batch(connection, parsed, 4, 3, BOB)
    with database.begin() as connection, pytest.raises(QueueFull, match=r"^4 jobs are waiting already"):
        submitted(connection, parsed, 3, BOB, max_queued=4)


def test_a_key_has_room_again_when_its_jobs_have_left_the_queue(database: Database, parsed: ParsedJob) -> None:
    with database.begin() as connection:
        first = submitted(connection, parsed, 1)
    with database.begin() as connection, pytest.raises(QueueFull):
        submitted(connection, parsed, 1)
    with database.begin() as connection:
        lifecycle.request_cancel(connection, first, actor=BOB)
        assert submitted(connection, parsed, 1) != first


def test_retries_count_as_the_jobs_of_who_asks_for_them(database: Database, parsed: ParsedJob) -> None:
    with database.begin() as connection:
        batch = submitted_batch(connection, parsed, 3, 3)
        lifecycle.cancel_some(connection, batch, actor=ADA)
        old = list(connection.execute(select(Job.id)).scalars())
    again, mine = dict.fromkeys(old, parsed), {"project_id": 1, "max_queued_of_key": 4} | FAR
    with database.begin() as connection:
        submitted(connection, parsed, 4, BOB, retry_of=old[0])
        lifecycle.retry_batch(connection, batch, again, states={"cancelled"}, actor=BOB, **mine)  # type: ignore[arg-type]
    assert counted(database) == {BOB: 4}
    with database.begin() as connection, pytest.raises(QueueFull):
        retry_jobs(connection, again, actor=BOB, **mine)  # type: ignore[arg-type]
    with database.begin() as connection:
        retry_jobs(connection, again, actor=ADA, **mine)  # type: ignore[arg-type]
    assert counted(database) == {ADA: 3, BOB: 4}


def test_jobs_that_a_version_without_these_limits_submits_beside_count_for_no_key(
    database: Database, parsed: ParsedJob
) -> None:
    known = [each for each in Job.__table__.columns if each.name not in ("id", "counted_for")]
    of_the_older = select(literal(new_id()), *known)
    with database.begin() as connection:
        submitted(connection, parsed, 2)
        connection.execute(insert(Job).from_select(["id", *known], of_the_older, include_defaults=False))
        submitted(connection, parsed, 2)
    assert counted(database) == {None: 1, ADA: 2}
    with database.begin() as connection, pytest.raises(QueueFull):
        submitted(connection, parsed, 2)


def test_without_a_limit_nothing_is_asked_locked_or_stored_for_a_key(database: Database, parsed: ParsedJob) -> None:
    said = list[tuple[str, Any]]()
    event.listen(database.engine, "before_cursor_execute", lambda *call: said.append((call[2], call[3])))

    def statements(most: int) -> list[tuple[str, Any]]:
        said.clear()
        with database.begin() as connection:
            submitted(connection, parsed, most)
        return list(said)

    statements(0)  # the first one stores its parameters
    without, limited = statements(0), statements(2000)
    assert not any("counted_for =" in statement or "key api" in str(values) for statement, values in without)
    assert len(limited) == len(without) + (1 if database.is_sqlite else 2)  # the count, and its lock
    assert counted(database) == {None: 2, ADA: 1}


def test_the_jobs_of_a_key_are_counted_by_their_index(database: Database, parsed: ParsedJob) -> None:
    with database.begin() as connection:
        submitted_batch(connection, parsed, 500, 0)
        submitted_batch(connection, parsed, 20, 600, BOB)
        connection.execute(text("ANALYZE"))
    said = list[tuple[str, Any]]()
    event.listen(database.engine, "before_cursor_execute", lambda *call: said.append((call[2], call[3])))
    with database.begin() as connection, suppress(QueueFull):
        submitted(connection, parsed, 20, BOB)
    (count,) = (each for each in said if "counted_for =" in each[0])
    with database.read() as connection:
        plan = plan_of(connection, *count)
    assert any("ix_jobs_queued_of_key" in step for step in plan), plan
