"""What a short request makes of stored jobs costs no more than a batch may, and takes turns like one."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from gradyard.store.database import Database
from gradyard.store.tables import Job
from service import large_batches
from service.large_batches import large_batch_alone
from tests.service.conftest import AppWith

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

POINTS = {"kind": "inline", "x": [number / 7 for number in range(4500)], "y": [0.5] * 4500}  # about 100 KB
SWEEP = {"spec": {"stage": "nn", "steps": 4}}
Retry = Callable[[FlaskClient, str, dict[str, Any]], Any]


def of_batch(client: FlaskClient, batch: str, changes: dict[str, Any]) -> Any:
    return client.post(f"/v1/batches/{batch}/retry", json={"states": ["cancelled"], "set": changes})


def of_question(client: FlaskClient, batch: str, changes: dict[str, Any]) -> Any:
    asked = {"action": "retry", "where": f'batch == "{batch}"'} | ({"set": changes} if changes else {})
    return client.post("/v1/jobs/actions", json=asked)


both = pytest.mark.parametrize("retry", [of_batch, of_question])


def cancelled(client: FlaskClient, jobs: int, **spec: Any) -> str:
    """The id of a batch of so many jobs, all cancelled."""
    sweep = {"spec": SWEEP["spec"] | spec, "grid": {"seed": {"stop": jobs}}}
    batch: Any = client.post("/v1/batches", json=sweep).json
    assert client.post(f"/v1/batches/{batch['id']}/cancel").status_code == 200
    return str(batch["id"])


def jobs_of(database: Database) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(Job)).scalar_one()


@both
def test_a_retry_may_not_ask_for_more_than_a_batch(client: FlaskClient, database: Database, retry: Retry) -> None:
    batch, began = cancelled(client, 700), time.process_time()
    refused = retry(client, batch, {"dataset": POINTS})
    assert time.process_time() - began < 4
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/set"), refused.json
    assert "67,108,864 bytes" in refused.json["errors"][0]["message"]
    assert jobs_of(database) == 700


@both
def test_a_retry_of_jobs_that_together_are_too_large_is_refused_before_they_are_read(
    app_with: AppWith, database: Database, retry: Retry
) -> None:
    batch = cancelled(app_with().test_client(), 12, dataset=POINTS)
    refused = retry(app_with(max_batch_bytes=2**20).test_client(), batch, {})
    assert refused.status_code == 422, refused.json
    assert "1,048,576 bytes" in refused.json["errors"][0]["message"]
    assert jobs_of(database) == 12


@both
def test_what_a_retry_trains_on_together_is_bounded(app_with: AppWith, database: Database, retry: Retry) -> None:
    client = app_with(max_point_steps=100_000).test_client()
    refused = retry(client, cancelled(client, 10), {"steps": 40})
    assert refused.status_code == 422, refused.json
    assert "100,000 point-steps together" in refused.json["errors"][0]["message"]
    assert jobs_of(database) == 10


@both
@pytest.mark.parametrize("changes", [{"dataset": POINTS}, {}], ids=["set", "stored"])
def test_a_large_retry_waits_for_a_large_batch(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, retry: Retry, changes: dict[str, Any]
) -> None:
    small = cancelled(client, 60)
    large = small if changes else cancelled(client, 60, dataset=POINTS)
    monkeypatch.setattr(large_batches, "WAIT_SECONDS", 0.05)
    with large_batch_alone():
        refused = retry(client, large, changes)
        assert (refused.status_code, refused.json["type"]) == (503, "large_batches_waiting")
        assert retry(client, small, {"learning_rate": 1e-7}).status_code in (200, 202)
    assert retry(client, large, changes).status_code in (200, 202)
