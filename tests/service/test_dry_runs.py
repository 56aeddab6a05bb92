"""`?dry_run=true` answers what a submission would be, or what is wrong with it, and stores nothing."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from gradyard.store.database import Database
from gradyard.store.tables import Batch, IdempotencyKey, Job

JOBS, BATCHES = "/v1/jobs?dry_run=true", "/v1/batches?dry_run=true"
NO_ID = "0" * 8 + "-0000-7000-8000-" + "0" * 12


@pytest.fixture(autouse=True)
def _nothing_is_stored(database: Database) -> Any:
    yield
    with database.read() as connection:
        for table in (Job, Batch, IdempotencyKey):
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0


def test_a_job_is_shown_with_its_defaults_numbers_and_warnings(client: FlaskClient) -> None:
    response = client.post(JOBS, json={"stage": "tensor", "learning_rate": 1}, headers={"Idempotency-Key": "k"})
    assert response.status_code == 200
    checked: Any = response.json
    assert set(checked) == {"spec", "resolved", "warnings"}
    assert checked["spec"]["dataset"]["points"] == 2000
    assert checked["resolved"]["attainable_loss"] == pytest.approx(8.81716541)
    assert [each["pointer"] for each in checked["warnings"]] == ["/learning_rate"]


def test_what_is_wrong_is_refused_as_in_a_submission(client: FlaskClient) -> None:
    body = {"stage": "optim", "optimizer": {"name": "adam", "beta1": 7}}
    refused = client.post(JOBS, json=body)
    assert (refused.status_code, refused.json) == (422, client.post("/v1/jobs", json=body).json)
    assert client.post(JOBS, json={"stage": "nn"}, headers={"Idempotency-Key": "é"}).status_code == 400
    wrong: Any = client.post(JOBS, json={"stage": "nn", "depends_on": [NO_ID]})
    assert (wrong.status_code, wrong.json["errors"][0]["pointer"]) == (422, "/depends_on/0")


def test_a_sweep_is_counted_and_its_warnings_are_summed_up_by_place(client: FlaskClient) -> None:
    rates = [1e-6, 1, 2]
    response = client.post(BATCHES, json={"spec": {"stage": "tensor"}, "grid": {"learning_rate": rates}})
    checked: Any = response.json
    assert (response.status_code, checked["size"], checked["first"]["learning_rate"]) == (200, 3, 1e-6)
    assert [(each["pointer"], each["count"]) for each in checked["warnings"]] == [("/learning_rate", 2)]


def test_a_wrong_batch_is_refused_as_in_a_submission(client: FlaskClient) -> None:
    sweep = {"spec": {"stage": "nn"}, "grid": {"seed": [1, -1]}}
    wrong: Any = client.post(BATCHES, json=sweep)
    assert (wrong.status_code, wrong.json["errors"][0]["pointer"]) == (422, "/grid/seed/1")
    waits: Any = client.post(BATCHES, json={"jobs": [{"stage": "nn"}], "depends_on": [NO_ID]})
    assert (waits.status_code, waits.json["errors"][0]["pointer"]) == (422, "/depends_on/0")
