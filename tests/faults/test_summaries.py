"""The checker finds a build that does not complete the summary of a job that ends (I16)."""

import pytest
from sqlalchemy import update

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from gradyard.store.tables import JobSummary
from tests.actors import claimed, submitted, succeeds, worker_of
from tests.faults.checker import Verdict
from tests.faults.summaries import check_summaries


def test_a_summary_that_was_not_completed_is_found(database: Database, settings: Settings) -> None:
    submitted(database, settings)
    succeeds(database, claimed(database, worker_of(database)))
    verdict = Verdict()
    check_summaries(verdict, database)
    assert verdict.violations == {}
    with database.begin() as connection:
        connection.execute(update(JobSummary).values(loss_min=7.0))
    check_summaries(verdict, database)
    assert list(verdict.violations) == ["I16"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_job_without_a_summary_is_found(database: Database, settings: Settings) -> None:
    submitted(database, settings)
    with database.begin() as connection:
        connection.exec_driver_sql("DELETE FROM summaries")
    verdict = Verdict()
    check_summaries(verdict, database)
    assert list(verdict.violations) == ["I16"]
