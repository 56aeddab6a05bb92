"""A cancel asks the database little: it waits for the watcher's news, and does not ask for them itself."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from tests.actors import claimed, submitted, worker_of
from tests.service.statements import statements

MOST = 17
"""Statements of one cancel. Once they were 85, when each asked for news of its own."""


def cancel(client: FlaskClient, path: str) -> list[str]:
    with statements(client) as said:
        answer = client.post(f"{path}/cancel")
    assert answer.status_code == 200, answer.text
    return said


def test_of_a_queued_job(client: FlaskClient, database: Database, settings: Settings) -> None:
    said = cancel(client, f"/v1/jobs/{submitted(database, settings)}")
    assert 0 < len(said) <= MOST, said


def test_of_a_running_job_whose_worker_says_nothing_however_long_it_waits(
    client: FlaskClient, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = []
    for seconds in (0.2, 1.5):
        monkeypatch.setattr("service.routes.jobs.CANCEL_SECONDS", seconds)
        job_id = submitted(database, settings)
        claimed(database, worker_of(database))
        said = cancel(client, f"/v1/jobs/{job_id}")
        numbers.append(len(said))
        assert len(said) <= MOST, said
    print(f"{numbers[-1]} statements")
    assert numbers[0] == numbers[1]


@pytest.mark.parametrize("size", [2, 400])
def test_of_a_batch_however_many_jobs_it_has(client: FlaskClient, size: int) -> None:
    batch: Any = client.post("/v1/batches", json={"spec": {"stage": "nn"}, "grid": {"seed": {"stop": size}}}).json
    said = cancel(client, f"/v1/batches/{batch['id']}")
    print(f"{len(said)} statements")
    assert len(said) <= MOST, said
