"""The checker finds a build in which a job runs before what it depends on, or waits for ever (I15)."""

import pytest
from sqlalchemy import update

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from gradyard.store.tables import Job
from tests.actors import claimed, submitted, succeeds, worker_of
from tests.faults.checker import Verdict
from tests.faults.client import RequestLog
from tests.faults.dependencies import check_dependencies
from tests.faults.rows import Rows
from tests.store.dependencies.pipelines import after, batch_after, follow


def verdict_on(database: Database) -> list[str]:
    verdict = Verdict()
    check_dependencies(verdict, RequestLog(), Rows.read(database), database)
    return list(verdict.violations)


def test_a_pipeline_in_its_order_is_fine(database: Database, settings: Settings) -> None:
    worker, first = worker_of(database), submitted(database, settings)
    batch = batch_after(database, first)
    after(database, settings, batch.batch_id)
    assert verdict_on(database) == []
    for _ in range(3):
        succeeds(database, claimed(database, worker))
        follow(database)
        assert verdict_on(database) == []


def test_a_job_that_was_let_run_too_early_is_found_out(database: Database, settings: Settings) -> None:
    first = submitted(database, settings)
    after(database, settings, first)
    with database.begin() as connection:
        connection.execute(update(Job).where(Job.queue == "blocked").values(queue="cpu", start_step=0))
    assert len(claimed(database, worker_of(database)).members) == 2
    assert verdict_on(database) == ["I15"]


@pytest.mark.parametrize("told", [False, True])
def test_a_job_that_waits_in_vain_is_found_out(database: Database, settings: Settings, told: bool) -> None:
    first = submitted(database, settings)
    after(database, settings, first)
    succeeds(database, claimed(database, worker_of(database)))
    if told:
        follow(database)
    assert verdict_on(database) == ([] if told else ["I15"])
