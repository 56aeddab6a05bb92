"""The checker finds a build in which a project waits for the backlog of another (I10)."""

import time
from importlib import import_module
from typing import Any

import orjson
import pytest
from sqlalchemy import insert

from gradyard.jobs.settings import Settings
from gradyard.jobs.submission.batches import ParsedBatch
from gradyard.jobs.submission.parse import parse_job
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.tables import Project
from tests.actors import claimed, fails, submitted_to, worker_of
from tests.faults import fairness
from tests.faults.checker import Verdict
from tests.faults.fairness import check_fairness
from tests.faults.rows import Rows
from tests.faults.test_verbs import database_url  # noqa: F401


@pytest.mark.parametrize("is_fair", [True, False])
def test_a_build_without_fair_shares_is_found_out(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch, is_fair: bool
) -> None:
    monkeypatch.setattr(fairness, "ONE_CLAIM_SECONDS", 0.0)

    def in_order_of_submission(*_: Any) -> list[dict[str, float]]:
        return [{"precedence": 0, "rank": time.time() * 2, "cost_seconds": 1.0, "share_seconds": 1.0}]

    if not is_fair:
        monkeypatch.setattr(
            import_module("gradyard.store.lifecycle.submit"), "claim_order_of_jobs", in_order_of_submission
        )
    jobs = [parse_job(orjson.dumps({"stage": "tensor", "steps": 4 + number}), settings) for number in range(40)]
    about: dict[str, Any] = {"actor": "test", "max_queued": 100}
    with database.begin() as connection:
        connection.execute(insert(Project).values(id=2, name="other"))
        lifecycle.submit_batch(connection, ParsedBatch(jobs), project_id=1, **about)
    worker = worker_of(database)
    for number in range(30):
        if number == 5:
            with database.begin() as connection:
                lifecycle.submit(connection, jobs[0], project_id=2, **about)
        fails(database, claimed(database, worker))
    if not is_fair:
        while _queued(database):
            fails(database, claimed(database, worker))
    verdict = Verdict()
    check_fairness(verdict, Rows.read(database))
    assert list(verdict.violations) == ([] if is_fair else ["I10"])


def test_a_job_that_others_of_its_project_overtake_is_no_finding(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fairness, "ONE_CLAIM_SECONDS", 0.0)
    jobs = [parse_job(orjson.dumps({"stage": "tensor", "steps": 4 + number}), settings) for number in range(40)]
    with database.begin() as connection:
        connection.execute(insert(Project).values(id=2, name="other"))
        lifecycle.submit_batch(connection, ParsedBatch(jobs), project_id=1, actor="test", max_queued=100)
    worker, overtaken = worker_of(database), submitted_to(2, database, settings, steps=3)  # in no pack of the others
    for number in range(40):
        submitted_to(2, database, settings, steps=100 + number, priority=60)
        fails(database, claimed(database, worker))
    while _queued(database):
        fails(database, claimed(database, worker))
    rows, verdict = Rows.read(database), Verdict()
    others = sum(job.project_id == 1 for job in rows.jobs.values())
    assert rows.events[str(overtaken)][1].at > sorted(each.at for each in rows.all_events())[2 * others]
    check_fairness(verdict, rows)
    assert verdict.violations == {}


def _queued(database: Database) -> int:
    return sum(job.state == "queued" for job in Rows.read(database).jobs.values())
