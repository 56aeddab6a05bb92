"""A retry may change values: the new job is checked as any other, and the old one stays as it was."""

from typing import Any
from uuid import UUID

from flask.testing import FlaskClient

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from tests.actors import claimed, fails, submitted, worker_of


def failed(database: Database, settings: Settings, **spec: object) -> UUID:
    job_id = submitted(database, settings, **spec)
    fails(database, claimed(database, worker_of(database)))
    return job_id


def retry(client: FlaskClient, job_id: object, body: object, key: str | None = None) -> Any:
    return client.post(f"/v1/jobs/{job_id}/retry", json=body, headers={"Idempotency-Key": key} if key else {})


def test_a_retry_changes_what_it_is_told_and_nothing_else(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    old = failed(database, settings, stage="optim", optimizer={"name": "sgd", "momentum": 0.5}, learning_rate=1.0)
    changes = {"learning_rate": 1e-7, "optimizer.momentum": 0.9, "tags": {"try": "2"}}
    answer = retry(client, old, {"set": changes})
    assert (answer.status_code, answer.json["retry_of"]) == (202, str(old))
    before: Any = client.get(f"/v1/jobs/{old}").json
    spec = before["spec"] | {"learning_rate": 1e-7, "tags": {"try": "2"}}
    assert answer.json["spec"] == spec | {"optimizer": before["spec"]["optimizer"] | {"momentum": 0.9}}
    assert answer.json["resolved"]["learning_rate"] == 1e-7
    assert before["spec"]["learning_rate"] == 1.0


def test_a_whole_part_is_set_before_what_is_set_in_it(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    old = failed(database, settings, stage="optim")
    answer = retry(client, old, {"set": {"optimizer.momentum": 0.9, "optimizer": {"name": "sgd"}}})
    assert (answer.json["spec"]["optimizer"]["name"], answer.json["spec"]["optimizer"]["momentum"]) == ("sgd", 0.9)


def test_a_wrong_value_is_refused_where_it_stands_in_the_body(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    old = failed(database, settings)
    wrong = {
        "/set/learning_rate": {"learning_rate": -1}, "/set/steps": {"steps": 10**12},
        "/set/momentum": {"momentum": 0.5}, "/set/learning_rate.x": {"learning_rate.x": 1},
        "/set/dataset/points": {"dataset": {"kind": "function", "points": 0}},
        "/set/Rate": {"Rate": 1}, "/set/dataset.points": {"dataset.points": "many"},
    }  # fmt: skip
    for pointer, changes in wrong.items():
        answer = retry(client, old, {"set": changes})
        assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, pointer), answer.json
    assert retry(client, old, {"put": {}}).json["errors"][0]["pointer"] == "/put"


def test_a_key_stands_for_the_changes_as_well(client: FlaskClient, database: Database, settings: Settings) -> None:
    old = failed(database, settings)
    first, again = (retry(client, old, {"set": {"seed": 1}}, "k") for _ in range(2))
    assert (first.json["id"], again.headers["Idempotent-Replayed"]) == (again.json["id"], "true")
    assert retry(client, old, {"set": {"seed": 2}}, "k").status_code == 422
    assert client.post(f"/v1/jobs/{old}/retry", headers={"Idempotency-Key": "k"}).status_code == 422


def test_a_batch_is_retried_with_changes(client: FlaskClient, database: Database, settings: Settings) -> None:
    sweep = {"spec": {"stage": "tensor", "steps": 4}, "grid": {"seed": [1, 2]}}
    batch = client.post("/v1/batches", json=sweep).json["id"]  # type: ignore[index]
    fails(database, claimed(database, worker_of(database)))
    asked = {"set": {"learning_rate": 1e-7}}
    answers = [
        client.post(f"/v1/batches/{batch}/retry", json=asked, headers={"Idempotency-Key": "k"}) for _ in range(2)
    ]
    assert [answer.json["retried"] for answer in answers] == [2, 2]  # type: ignore[index]
    assert client.post(f"/v1/batches/{batch}/retry", json={}, headers={"Idempotency-Key": "k"}).status_code == 422
    jobs: Any = client.get(f"/v1/jobs?batch={batch}&state=queued").json["jobs"]  # type: ignore[index]
    assert [(job["spec"]["learning_rate"], job["spec"]["seed"]) for job in jobs] == [(1e-7, 2), (1e-7, 1)]
