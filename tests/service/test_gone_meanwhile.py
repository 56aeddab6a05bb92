"""Every reading route and page, while jobs and workers go away between any two of its statements."""

from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, select

from gradyard.jobs.settings import Settings
from gradyard.jobs.states import FINISHED
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.tables import Claim, Job, Worker
from tests.actors import claimed, progress_of, submitted, succeeds, worker_of
from tests.service.statements import statements
from tests.store.kept_rows import KeptRows
from tests.store.one_job import DAY

ASKED = {  # the queries of routes that ask for some
    "/v1/losses": "?job={ended}&job={running}", "/v1/jobs/summary": "?by=stage", "/v1/jobs/export": "?curves=list",
    "/v1/metrics/<name>": "?job={ended}", "/compare": "?job={queued}&job={running}&job={ended}",
}  # fmt: skip
ENDLESS = ("/v1/events", "/v1/batches/<batch_id>/events", "/static/<path:filename>")
MOST_STATEMENTS = 60


def made(client: FlaskClient, database: Database, settings: Settings) -> dict[str, UUID]:
    """A job that has ended, one that has trained half, one that waits, and a batch of one that waits."""
    worker = worker_of(database, lease=DAY)
    ended = submitted(database, settings)
    succeeds(database, claimed(database, worker))
    running = submitted(database, settings)
    claim = claimed(database, worker, lease=DAY)
    with database.begin() as connection:
        assert lifecycle.record(connection, progress_of(claim.members[0], [4.0, 3.0]))
    batch = client.post("/v1/batches", json={"jobs": [{"stage": "tensor", "steps": 4}]}).json["id"]  # type: ignore[index]
    return {"ended": ended, "running": running, "batch": UUID(batch), "queued": submitted(database, settings)}


def go_away(database: Database) -> None:
    """Every job ends and is deleted, and the row of every worker goes, as after a kill."""
    with database.begin() as connection:
        for job in connection.execute(select(Job.id, Job.state)).all():
            if job.state not in FINISHED:
                lifecycle.request_cancel(connection, job.id, actor="test")
                lifecycle.move_silent(connection, job.id, actor="test")
            assert lifecycle.delete_job(connection, 1, job.id)
        connection.execute(delete(Claim))
        connection.execute(delete(Worker))


def paths(client: FlaskClient) -> list[str]:
    """Every route that is read, with the names of the ids that it is asked with."""
    rules = [rule.rule for rule in client.application.url_map.iter_rules() if "GET" in (rule.methods or ())]
    asked = [rule + ASKED.get(rule, "") for rule in rules if rule not in ENDLESS]
    of_jobs = [path for path in asked if "<job_id>" in path]
    states = {path: ("queued", "running", "ended") if path.endswith("<job_id>") else ("ended",) for path in of_jobs}
    named = [path.replace("<job_id>", f"{{{job}}}") for path in of_jobs for job in states[path]]
    named += [path.replace("<batch_id>", "{batch}") for path in asked if path not in of_jobs]
    return [path.replace("<name>", "accuracy") for path in named]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_what_goes_away_between_two_statements_of_a_read_is_no_fault_of_the_service(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    faults, ids = [], made(client, database, settings)
    kept = KeptRows(database)
    for path in paths(client):
        for place in range(MOST_STATEMENTS):
            kept.put_back()
            with statements(client, place, lambda: go_away(database)) as seen:
                answer = client.get(path.format(**ids))
            if answer.status_code == 500:
                faults.append(f"{path}: they went away before {seen[place : place + 1]}")
            if place >= len(seen):
                break
            assert not client.get("/v1/jobs").json["jobs"]  # type: ignore[index]
    assert faults == []
