"""What a project finished lately, counted in even periods."""

import pytest
from sqlalchemy import Connection, select, update

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from gradyard.store.dialects import clock_of
from gradyard.store.queries.page import activity as module
from gradyard.store.queries.page.activity import Activity, activity
from gradyard.store.tables import JobSummary
from tests.actors import claimed, fails, submitted, submitted_to, succeeds, worker_of

HOUR = 3600.0


def ended_ago(connection: Connection, *seconds: float) -> None:
    """Let the project's jobs have ended so long ago, in the order of their submission, each after 2 s of waiting."""
    ids = connection.execute(select(JobSummary.job_id).order_by(JobSummary.job_id)).scalars().all()
    for job_id, ago in zip(ids, seconds, strict=True):
        at = clock_of(connection) - ago
        times = {"finished_at": at, "started_at": at - 1, "submitted_at": at - 3}
        connection.execute(update(JobSummary).where(JobSummary.job_id == job_id).values(times))


def of_the_hour(database: Database, periods: int = 4) -> Activity:
    with database.read() as connection:
        return activity(connection, 1, HOUR, periods)


def test_a_project_without_jobs_finished_nothing(database: Database) -> None:
    assert of_the_hour(database) == Activity(HOUR, (0,) * 4, (0,) * 4, True, None, None)


def test_jobs_are_counted_in_the_period_of_their_end(database: Database, settings: Settings) -> None:
    worker = worker_of(database)
    for stage in ("tensor", "nn", "tensor"):
        submitted(database, settings, stage=stage)
        succeeds(database, claimed(database, worker))
    submitted(database, settings)
    fails(database, claimed(database, worker))
    with database.begin() as connection:
        ended_ago(connection, 10, 1000, HOUR + 10, 3500)
    found = of_the_hour(database)
    assert (found.succeeded, found.failed, found.ended) == ((0, 0, 1, 1), (1, 0, 0, 0), 3)
    assert found.complete
    assert (found.median_wait, found.p95_wait) == pytest.approx((2, 2))


def test_jobs_of_others_and_jobs_that_have_not_ended_are_not_counted(database: Database, settings: Settings) -> None:
    submitted(database, settings)
    with database.begin() as connection:
        connection.exec_driver_sql("INSERT INTO projects (id, name) VALUES (7, 'seven')")
    submitted_to(7, database, settings)
    fails(database, claimed(database, worker_of(database)))
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE summaries SET project_id = 7")
    assert of_the_hour(database).ended == 0


def test_a_period_that_is_too_full_says_so(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted(database, settings)
    fails(database, claimed(database, worker_of(database)))
    monkeypatch.setattr(module, "MOST_ENDS", 1)
    assert not of_the_hour(database).complete
