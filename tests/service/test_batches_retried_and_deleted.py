"""Batches over HTTP: why jobs failed, submitted anew, deleted."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr
from redis import Redis

from gradyard.store.database import Database
from tests.actors import claimed, fails, succeeds, worker_of
from tests.servers import RedisServer
from tests.service.conftest import AppWith

FIVE = {"spec": {"stage": "nn", "steps": 4}, "grid": {"seed": {"stop": 5}}}


def got(client: FlaskClient, path: str) -> Any:
    return client.get(path).json


@pytest.fixture
def failed(client: FlaskClient, database: Database) -> str:
    """The id of a batch of five of which two failed and three succeeded."""
    batch = client.post("/v1/batches", json=FIVE).json["id"]  # type: ignore[index]
    worker = replace(worker_of(database), most_members=2)
    fails(database, claimed(database, worker))
    for _ in range(2):
        succeeds(database, claimed(database, worker))
    return str(batch)


def retry(client: FlaskClient, batch: str, body: Any = None, **headers: str) -> Any:
    return client.post(f"/v1/batches/{batch}/retry", json=body, headers=headers)


def test_a_batch_tells_why_its_jobs_failed(client: FlaskClient, failed: str) -> None:
    example = got(client, f"/v1/jobs?batch={failed}&state=failed")["jobs"][-1]
    shown = got(client, f"/v1/batches/{failed}")
    assert shown["failures"] == [{"reason": "error", "count": 2, "job": example["id"], "message": "it broke"}]
    assert "failures" not in got(client, "/v1/batches")["batches"][0]


def test_failed_jobs_are_replaced_in_their_batch_and_both_are_listed(client: FlaskClient, failed: str) -> None:
    answer = retry(client, failed)
    assert (answer.status_code, answer.json) == (202, {"id": failed, "retried": 2, "size": 5})
    assert answer.headers["Location"] == f"/v1/batches/{failed}"
    shown = got(client, f"/v1/batches/{failed}")
    counts = {state: count for state, count in shown["counts"].items() if count}
    assert (shown["state"], counts, shown["failures"]) == ("running", {"succeeded": 3, "queued": 2}, [])
    listed = {job["id"]: job for job in got(client, f"/v1/jobs?batch={failed}")["jobs"]}
    exported = [orjson.loads(line) for line in client.get(f"/v1/batches/{failed}/export").data.splitlines()]
    assert len(listed) == len(exported) == 7
    old = [job for job in exported if job["replaced_by"]]
    assert [job["state"] for job in old] == ["failed", "failed"]
    for job in old:
        assert listed[job["id"]]["replaced_by"] == job["replaced_by"]
        assert listed[job["replaced_by"]]["retry_of"] == job["id"]
    again = retry(client, failed)
    assert (again.status_code, again.json) == (200, {"id": failed, "retried": 0, "size": 5})


def test_a_single_retry_makes_a_job_without_a_batch(client: FlaskClient, failed: str) -> None:
    old = got(client, f"/v1/jobs?batch={failed}&state=failed")["jobs"][0]["id"]
    new: Any = client.post(f"/v1/jobs/{old}/retry").json
    assert (new["retry_of"], new["batch"]) == (old, None)
    assert got(client, f"/v1/jobs/{old}")["replaced_by"] is None


def test_cancelled_jobs_are_retried_on_request(client: FlaskClient) -> None:
    batch = client.post("/v1/batches", json=FIVE).json["id"]  # type: ignore[index]
    client.post(f"/v1/batches/{batch}/cancel")
    assert retry(client, batch, {"states": ["failed"]}).json["retried"] == 0
    assert retry(client, batch, {"states": ["failed", "cancelled"]}).json["retried"] == 5
    assert got(client, f"/v1/batches/{batch}")["counts"] == {
        "queued": 5, "running": 0, "succeeded": 0, "failed": 0, "cancelled": 0
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({"states": ["succeeded"]}, "/states/0"), ({"states": []}, "/states"), ({"jobs": []}, "/jobs"), ([], "")],
)
def test_a_body_that_is_no_request_for_a_retry_is_refused(
    client: FlaskClient, failed: str, body: Any, pointer: str
) -> None:
    refused = retry(client, failed, body)
    assert (refused.status_code, refused.json["type"]) == (422, "body_invalid")
    assert refused.json["errors"][0]["pointer"] == pointer
    assert client.post(f"/v1/batches/{failed}/retry", data="states=failed").status_code == 415


def test_the_same_key_retries_once(client: FlaskClient, database: Database, failed: str) -> None:
    first = retry(client, failed, **{"Idempotency-Key": "k"})
    fails(database, claimed(database, worker_of(database)))
    again = retry(client, failed, **{"Idempotency-Key": "k"})
    assert (again.status_code, again.json) == (202, first.json)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert retry(client, failed, {"states": ["cancelled"]}, **{"Idempotency-Key": "k"}).status_code == 422
    assert client.post("/v1/batches", json=FIVE, headers={"Idempotency-Key": "k"}).status_code == 422


def test_a_full_queue_refuses_the_whole_retry(app_with: AppWith, database: Database, failed: str) -> None:
    client = app_with(max_queued_jobs=2).test_client()
    client.post("/v1/jobs", json={"stage": "tensor"})
    refused = retry(client, failed)
    assert (refused.status_code, refused.json["type"]) == (429, "queue_full")
    assert got(client, f"/v1/batches/{failed}")["counts"]["failed"] == 2


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_retry_rings_for_idle_slots_as_a_submission_does(
    app_with: AppWith, database: Database, failed: str, redis_server: RedisServer
) -> None:
    client = app_with(redis_url=SecretStr(redis_server.url), bell_timeout_seconds=60.0).test_client()
    with Redis.from_url(redis_server.url) as redis:
        redis.flushall()
        for number in range(2):
            worker_of(database, f"cpu-{number}")
        retry(client, failed, **{"Idempotency-Key": "k"})
        retry(client, failed, **{"Idempotency-Key": "k"})
        assert (redis.llen("cpu"), redis.llen("gpu")) == (2, 0)


def test_a_deleted_batch_is_gone_with_its_jobs(client: FlaskClient, failed: str) -> None:
    jobs = [job["id"] for job in got(client, f"/v1/jobs?batch={failed}")["jobs"]]
    deleted: Any = client.delete(f"/v1/batches/{failed}")
    assert (deleted.status_code, deleted.json) == (200, {"id": failed, "deleted": 5})
    for method, path in (
        ("DELETE", ""), ("GET", ""), ("GET", "/best"), ("GET", "/export"), ("POST", "/cancel"), ("POST", "/retry"),
    ):  # fmt: skip
        gone: Any = client.open(f"/v1/batches/{failed}{path}", method=method)
        assert (gone.status_code, gone.json["type"]) == (410, "gone")
        assert gone.json["detail"] == f"the batch {failed} was deleted"
    assert got(client, f"/v1/jobs?batch={failed}")["status"] == 410
    assert {client.get(f"/v1/jobs/{job}").status_code for job in jobs} == {410}
    assert got(client, "/v1/batches")["batches"] == []


def test_an_unfinished_batch_is_cancelled_before_it_is_deleted(client: FlaskClient, database: Database) -> None:
    batch = client.post("/v1/batches", json=FIVE).json["id"]  # type: ignore[index]
    claimed(database, replace(worker_of(database), most_members=2))
    refused: Any = client.delete(f"/v1/batches/{batch}")
    assert (refused.status_code, refused.json["type"]) == (409, "illegal_move")
    assert refused.json["detail"].startswith("5 jobs of the batch are queued or running; cancel the batch")
    client.post(f"/v1/batches/{batch}/cancel")
    assert client.delete(f"/v1/batches/{batch}").json == {"id": batch, "deleted": 5}


def test_a_deletion_of_many_slices_answers_with_their_sum(
    client: FlaskClient, failed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradyard.store.lifecycle.delete.SLICE_SECONDS", -1.0)
    assert client.delete(f"/v1/batches/{failed}").json == {"id": failed, "deleted": 5}


def test_deleting_the_last_job_singly_removes_the_batch(client: FlaskClient, failed: str) -> None:
    for job in got(client, f"/v1/jobs?batch={failed}")["jobs"]:
        assert client.get(f"/v1/batches/{failed}").status_code == 200
        assert client.delete(f"/v1/jobs/{job['id']}").status_code == 204
    assert client.get(f"/v1/batches/{failed}").status_code == 410
