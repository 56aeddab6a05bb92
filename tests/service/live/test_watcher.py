"""The one thread that looks for all requests that wait."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Select

from gradyard.jobs.errors import DatabaseUnavailable
from gradyard.jobs.settings import Settings
from gradyard.store import lifecycle, queries
from gradyard.store.changes import Changes
from gradyard.store.database import Database, driver_rows
from service.live import waits
from service.live.subjects import JobSubject
from service.live.watcher import Watcher
from tests.actors import claimed, submitted, succeeds, worker_of
from tests.stack.until import until
from tests.store.test_batches import stored


@pytest.fixture
def watcher(database: Database) -> Iterator[Watcher]:
    """A watcher of the test's database."""
    made = Watcher(database)
    yield made
    made.close()


def ends(database: Database) -> None:
    """End the job that is claimed next."""
    succeeds(database, claimed(database, worker_of(database)))


def noted_queries(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids, in one text each, that are told in queries for jobs from now on."""
    told = list[str]()

    def noted(connection: Connection, query: Select[Any], values: Mapping[str, Any]) -> Sequence[tuple[Any, ...]]:
        told.append(values["of_jobs"])
        return driver_rows(connection, query, values)

    monkeypatch.setattr("gradyard.store.queries.live.ends.driver_rows", noted)
    return told


def test_a_wait_ends_with_its_job_and_no_other(watcher: Watcher, database: Database, settings: Settings) -> None:
    first, second = submitted(database, settings), submitted(database, settings, steps=7)
    with ThreadPoolExecutor(2) as pool:
        wait, other = (pool.submit(watcher.jobs_end, 1, [each], 60) for each in (first, second))
        ends(database)
        assert wait.result() is True
        assert not other.done()
        ends(database)
        assert other.result() is True


def test_a_wait_that_is_over_first_says_so(watcher: Watcher, database: Database, settings: Settings) -> None:
    assert watcher.jobs_end(1, [submitted(database, settings)], 0.05) is False


def test_a_job_that_is_not_there_or_another_projects_is_not_waited_for(
    watcher: Watcher, database: Database, settings: Settings
) -> None:
    assert watcher.jobs_end(1, [uuid4()], 60) is True
    assert watcher.jobs_end(2, [submitted(database, settings)], 60) is True


def test_an_end_is_told_because_it_was_committed_however_old_the_wait_is(
    watcher: Watcher, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waits, "SELDOM_SECONDS", 600.0)  # between two looks without a commit
    job = submitted(database, settings)
    with ThreadPoolExecutor(1) as pool:
        wait = pool.submit(watcher.jobs_end, 1, [job], 60)
        Event().wait(1.0)
        assert not wait.done()
        ends(database)
        assert wait.result() is True


def test_many_waits_are_looked_for_in_one_query(
    watcher: Watcher, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [submitted(database, settings, steps=5 + number) for number in range(30)]
    with ThreadPoolExecutor(30) as pool:
        waits = [pool.submit(watcher.jobs_end, 1, [each], 60) for each in jobs]
        until(lambda: watcher.waits() == 30)
        told = noted_queries(monkeypatch)
        until(lambda: max(map(len, told), default=0) > 30 * len(jobs[0].hex))
        for _ in jobs:
            ends(database)
        assert all(each.result() for each in waits)


def test_nothing_is_asked_while_nothing_waits(
    watcher: Watcher, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, looks, have_come = list[bool](), noted_queries(monkeypatch), Changes.have_come

    def noted(changes: Changes) -> bool:
        asked.append(have_come(changes))
        return asked[-1]

    monkeypatch.setattr(Changes, "have_come", noted)
    job = submitted(database, settings)
    with ThreadPoolExecutor(1) as pool:
        wait = pool.submit(watcher.jobs_end, 1, [job], 60)
        until(lambda: (len(asked), len(looks)) >= (10, 2))
        ends(database)
        assert wait.result()
    while_it_waited = len(asked), len(looks)
    Event().wait(0.6)
    assert len(asked) <= while_it_waited[0] + 1  # one may have begun before
    assert len(looks) <= while_it_waited[1] + 1
    assert watcher.age_seconds() == 0


def test_a_batch_is_released_when_none_of_its_running_jobs_is_marked(watcher: Watcher, database: Database) -> None:
    batch: UUID = stored(database, {"jobs": [{"stage": "nn", "steps": 5}]}).batch_id
    held = claimed(database, worker_of(database))
    assert watcher.batch_is_released(batch, 0) is True
    with database.begin() as connection:
        lifecycle.cancel_some(connection, batch, actor="test")
    with ThreadPoolExecutor(1) as pool:
        wait = pool.submit(watcher.batch_is_released, batch, 60)
        until(lambda: watcher.waits() == 1)
        with database.begin() as connection:
            lifecycle.cancel_by_worker(connection, held.members[0].held, actor="test")
        assert wait.result() is True


def test_a_database_that_is_away_ends_the_waits_with_its_error_and_later_ones_go_on(
    watcher: Watcher, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submitted(database, settings)
    with ThreadPoolExecutor(1) as pool:
        wait = pool.submit(watcher.jobs_end, 1, [job], 60)
        until(lambda: watcher.waits() == 1)
        with monkeypatch.context() as patch:

            def away(*_: object) -> None:
                raise DatabaseUnavailable("away")

            patch.setattr("gradyard.store.queries.live_among", away)
            with pytest.raises(DatabaseUnavailable, match="away"):
                wait.result()
        again = pool.submit(watcher.jobs_end, 1, [job], 60)
        until(lambda: watcher.waits() == 1)
        ends(database)
        assert again.result() is True


def test_waits_for_an_end_go_on_where_streams_cannot_be_told(
    watcher: Watcher, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, looked = submitted(database, settings), Event()

    def away(*_: object) -> None:
        looked.set()
        raise DatabaseUnavailable("too many")

    monkeypatch.setattr(JobSubject, "ask", staticmethod(away))
    watcher.add(JobSubject(key=(1, job)))
    with ThreadPoolExecutor(1) as pool:
        wait = pool.submit(watcher.jobs_end, 1, [job], 60)
        until(lambda: watcher.waits() == 2)
        looked.clear()
        assert looked.wait(60)
        ends(database)
        assert wait.result() is True


def test_more_jobs_are_looked_at_than_a_statement_may_have_parameters(database: Database, settings: Settings) -> None:
    job = submitted(database, settings)
    subjects = [JobSubject(key=(1, each)) for each in (*(UUID(int=number) for number in range(70_000)), job)]
    with database.read() as connection:
        JobSubject.look(connection, subjects)
        assert queries.live_among(connection, [each.key for each in subjects]) == {(1, job)}
    assert all(each.is_known for each in subjects)
    assert [each.key for each in subjects if each.head] == [(1, job)]


def test_closing_ends_every_wait(watcher: Watcher, database: Database, settings: Settings) -> None:
    job = submitted(database, settings)
    with ThreadPoolExecutor(1) as pool:
        wait = pool.submit(watcher.jobs_end, 1, [job], 60)
        until(lambda: watcher.waits() == 1)
        watcher.close()
        assert wait.result() is False
