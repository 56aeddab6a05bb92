"""What is accepted is stored once; what is not is refused in words, and nothing is stored."""

import base64
import io
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from pydantic import SecretStr
from redis import Redis
from sqlalchemy import func, select

from gradyard.broker.producer import Bells, Breaker
from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from gradyard.store.tables import IdempotencyKey, Job
from tests.actors import claimed, succeeds, worker_of
from tests.servers import RedisServer
from tests.service.conftest import AppWith
from tests.service.redis_for_tests import RedisForTests

SMALLEST = b'{"stage": "tensor"}'
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def post(client: FlaskClient, body: bytes, content_type: str | None = "application/json", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/v1/jobs", data=body, content_type=content_type, headers=named)


def stored(database: Database) -> int:
    with database.read() as connection:
        jobs = connection.execute(select(func.count()).select_from(Job)).scalar_one()
        keys = connection.execute(select(func.count()).select_from(IdempotencyKey)).scalar_one()
    return int(jobs + keys)


def test_a_job_is_accepted_with_every_default_filled_in(client: FlaskClient) -> None:
    response = post(client, SMALLEST)
    job = response.json
    assert response.status_code == 202
    assert response.headers["Location"] == f"/v1/jobs/{job['id']}"
    assert "Idempotent-Replayed" not in response.headers
    assert UUID(job["id"]).version == 7
    assert (job["state"], job["attempt"], job["steps"], job["steps_done"]) == ("queued", 0, 2000, 0)
    assert job["spec"]["dataset"]["points"] == 2000
    assert job["resolved"] == {"learning_rate": 1e-6, "attainable_loss": pytest.approx(8.81716541)}
    unknown = {"position": None, "estimated_start_at": None}
    assert job["waiting"] == unknown | {"reason": "no cpu worker is alive"}
    assert job["result"] is None
    assert job["submitted_at"].endswith("Z")
    assert client.get(response.headers["Location"]).status_code == 200


def test_what_the_sender_should_know_comes_with_the_job(client: FlaskClient) -> None:
    job = post(client, b'{"stage": "tensor", "learning_rate": 1}').json
    assert [warning["pointer"] for warning in job["warnings"]] == ["/learning_rate"]


@on_sqlite
def test_hostile_names_are_kept_as_text(client: FlaskClient) -> None:
    name = "<script>alert(1)</script>'; DROP TABLE jobs; -- \u202e\x07"
    job = post(client, json.dumps({"stage": "nn", "name": name, "tags": {name[:60]: name}}).encode()).json
    shown: Any = client.get(f"/v1/jobs/{job['id']}").json
    assert (shown["name"], shown["tags"]) == (name, {name[:60]: name})


INLINE = '{"stage": "nn", "dataset": {"kind": "inline", "x": %s, "y": %s}}'
BAD = [
    # body, status, pointers
    (b"", 400, None),
    (b"{", 400, None),
    (b"\xff\xfe", 400, None),
    (b'{"stage": "nn", "name": "\xff"}', 400, None),
    (b'{"stage": "nn", "name": "\\ud800"}', 400, None),
    (b"[" * 15_000, 400, None),
    (b"[" * 100_000, 422, [""]),
    (b'{"stage": "nn", "stage": ', 400, None),
    (b'{"stage": "nn", "steps": 5, "steps": 6}', 422, ["/steps"]),
    (b'{"stage": "nn", "dataset": {"points": 5, "points": 6}}', 422, ["/dataset/points"]),
    (b"\xef\xbb\xbf", 400, None),
    (b"null", 422, [""]),
    (b"[]", 422, [""]),
    (b'"tensor"', 422, [""]),
    (b"{}", 422, ["/stage"]),
    (b'{"stage": null}', 422, ["/stage"]),
    (b'{"stage": ["nn"]}', 422, ["/stage"]),
    (b'{"stage": "mlp"}', 422, ["/stage"]),
    (b'{"stage": "nn", "epochs": 3}', 422, ["/epochs"]),
    (b'{"stage": "nn", "a/b~c": 3}', 422, ["/a~1b~0c"]),
    (b'{"stage": "function", "degree": 2}', 422, ["/degree"]),
    (b'{"stage": "nn", "optimizer": {"name": "sgd"}}', 422, ["/optimizer"]),
    (b'{"stage": "nn", "steps": 0}', 422, ["/steps"]),
    (b'{"stage": "nn", "steps": 2.5}', 422, ["/steps"]),
    (b'{"stage": "nn", "steps": "10"}', 422, ["/steps"]),
    (b'{"stage": "nn", "steps": true}', 422, ["/steps"]),
    (b'{"stage": "nn", "steps": 1e400}', 422, ["/steps"]),
    (b'{"stage": "nn", "steps": 1' + b"0" * 400 + b"}", 422, ["", "/steps"]),
    (
        b'{"stage": "nn", "steps": 1'
        + b"0" * 4_000
        + b', "dataset": {"kind": "function", "points": 1'
        + b"0" * 4_000
        + b"}}",
        422,
        None,
    ),
    (b'{"stage": "nn", "steps": 1' + b"0" * 9_000 + b"}", 400, None),
    (b'{"stage": "nn", "learning_rate": NaN}', 422, ["/learning_rate"]),
    (b'{"stage": "nn", "learning_rate": 1e400}', 422, ["/learning_rate"]),
    (b'{"stage": "nn", "learning_rate": -1}', 422, ["/learning_rate"]),
    (b'{"stage": "nn", "learning_rate": "fast"}', 422, ["/learning_rate"]),
    (b'{"stage": "function", "learning_rate": "auto"}', 422, ["/learning_rate"]),
    (b'{"stage": "nn", "init": {"a": 1}}', 422, ["/init"]),
    (b'{"stage": "nn", "init": {"a": 1, "b": 1, "c": 1, "d": "x"}}', 422, ["/init/d"]),
    (b'{"stage": "nn", "name": "\\u0000"}', 422, ["/name"]),
    (b'{"stage": "nn", "name": "' + b"x" * 201 + b'"}', 422, ["/name"]),
    (b'{"stage": "nn", "tags": {"k": 1}}', 422, ["/tags/k"]),
    (b'{"stage": "nn", "dataset": {"kind": "function", "points": 0}}', 422, ["/dataset/points"]),
    (b'{"stage": "nn", "dataset": {"kind": "upload"}}', 422, ["/dataset/kind"]),
    (b'{"stage": "nn", "dataset": {"kind": "function", "start": 2, "stop": 1}}', 422, ["/dataset"]),
    (b'{"stage": "optim", "optimizer": {"name": "lion"}}', 422, ["/optimizer/name"]),
    (b'{"stage": "optim", "optimizer": {"name": "sgd", "nesterov": true}}', 422, ["/optimizer"]),
    (b'{"stage": "nn", "loss": {"name": "mse", "beta": 1}}', 422, ["/loss/beta"]),
    (b'{"stage": "numpy", "device": "gpu"}', 422, ["/device"]),
    (b'{"stage": "nn", "steps": 10000001}', 422, ["/steps"]),
    (b'{"stage": "nn", "dataset": {"kind": "function", "points": 1000001}}', 422, ["/dataset/points"]),
    (
        b'{"stage": "nn", "steps": 10000000, "dataset": {"kind": "function", "points": 1000000}, "dtype": "float64"}',
        422,
        ["/steps"],
    ),
    ((INLINE % ("[1, 2]", "[1]")).encode(), 422, ["/dataset"]),
    ((INLINE % ("[1, null]", "[1, 2]")).encode(), 422, ["/dataset/x/1"]),
    ((INLINE % ([1] * 10_001, [1] * 10_001)).encode(), 422, ["/dataset/x"]),
]


@on_sqlite
@pytest.mark.parametrize(("body", "status", "pointers"), BAD, ids=lambda value: repr(value)[:60])
def test_a_bad_body_is_refused_by_the_field(
    client: FlaskClient, database: Database, body: bytes, status: int, pointers: list[str] | None
) -> None:
    response = post(client, body, Idempotency_Key="k")
    assert (response.status_code, response.content_type) == (status, "application/problem+json")
    problem = response.json
    assert problem["status"] == status
    assert problem["type"] == ("body_malformed" if status == 400 else "spec_invalid")
    if pointers is not None:
        assert {error["pointer"] for error in problem["errors"]} == set(pointers)
        assert all(error["message"] for error in problem["errors"])
    assert stored(database) == 0


EXTREME: list[dict[str, Any]] = [
    {"dataset": {"kind": "function", "start": -1e152, "stop": 1e152}, "dtype": "float64", "degree": 1},
    {"dataset": {"kind": "function", "start": 0, "stop": 5e-324}, "learning_rate": "auto"},
    {"dataset": {"kind": "function", "start": 1e17, "stop": 1.1e17}, "learning_rate": "auto", "scale": "standard"},
    {"dataset": {"kind": "inline", "x": [1e308, -1e308], "y": [0, 0]}, "degree": 0},
    {"dataset": {"kind": "inline", "x": [0], "y": [0]}, "learning_rate": "auto", "degree": 0},
    {"learning_rate": 1e308, "seed": 2**53 - 1},
]


@on_sqlite
def test_extreme_but_valid_bodies_are_accepted(client: FlaskClient) -> None:
    for spec in EXTREME:
        assert post(client, json.dumps({"stage": "nn"} | spec).encode()).status_code == 202, spec


@on_sqlite
def test_a_byte_order_mark_is_read_over(client: FlaskClient) -> None:
    mark = b"\xef\xbb\xbf"
    assert post(client, mark + SMALLEST).status_code == 202
    for body, content_type in ((b'{"jobs": [%s]}' % SMALLEST, "application/json"), (SMALLEST, "application/x-ndjson")):
        response = client.post("/v1/batches", data=mark + body, content_type=content_type)
        assert (response.status_code, response.get_json()["size"]) == (202, 1)


@on_sqlite
def test_only_json_is_read(client: FlaskClient, database: Database) -> None:
    for content_type in (None, "text/plain", "application/x-www-form-urlencoded", "application/problem+json"):
        response = post(client, SMALLEST, content_type)
        assert (response.status_code, response.json["type"]) == (415, "unsupported_media_type")
    assert post(client, SMALLEST, Content_Encoding="gzip").status_code == 415
    assert stored(database) == 0
    assert post(client, SMALLEST, "application/json; charset=utf-8").status_code == 202


@on_sqlite
def test_a_body_over_the_limit_is_not_read(client: FlaskClient, settings: Settings, database: Database) -> None:
    response = post(client, b" " * (settings.max_json_bytes + 1))
    assert (response.status_code, response.json["type"]) == (413, "content_too_large")
    assert stored(database) == 0
    assert post(client, SMALLEST.ljust(settings.max_json_bytes)).status_code == 202


@on_sqlite
def test_a_chunked_body_over_the_limit_is_not_cut_off_and_taken(
    client: FlaskClient, settings: Settings, database: Database
) -> None:
    for surplus, status in ((1, 413), (1_000_000, 413), (0, 202)):
        body = io.BytesIO(SMALLEST.ljust(settings.max_json_bytes + surplus))
        chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": body}
        response = client.post("/v1/jobs", content_type="application/json", environ_overrides=chunked)
        assert (response.status_code, stored(database)) == (status, int(status == 202))


@on_sqlite
def test_ten_thousand_faults_are_answered_with_the_first_hundred(client: FlaskClient) -> None:
    unknown = ", ".join(f'"field{number}": 1' for number in range(10_000))
    response = post(client, f'{{"stage": "tensor", {unknown}}}'.encode())
    assert response.status_code == 422
    assert len(response.json["errors"]) == 100


@on_sqlite
@pytest.mark.parametrize(("dtype", "reason"), [("float16", "65,504"), ("bfloat16", "8 bits of precision")])
@pytest.mark.parametrize("stage", ["numpy", "tensor"])
def test_a_dtype_that_is_too_coarse_is_refused_with_the_reason(
    client: FlaskClient, stage: str, dtype: str, reason: str
) -> None:
    response = post(client, json.dumps({"stage": stage, "dtype": dtype}).encode())
    assert response.status_code == 422
    (error,) = response.json["errors"]
    assert error["pointer"] == "/dtype"
    assert error["message"].startswith(f'must be "float32" or "float64"; {dtype} is too coarse')
    assert reason in error["message"]


@pytest.mark.parametrize("key", ["", "x" * 256, "é", "a\tb"])
def test_a_key_must_be_printable(client: FlaskClient, database: Database, key: str) -> None:
    response = post(client, SMALLEST, Idempotency_Key=key)
    assert (response.status_code, response.json["type"]) == (400, "header_invalid")
    assert stored(database) == 0


def test_the_same_body_with_the_same_key_is_one_job(client: FlaskClient, database: Database) -> None:
    key = "x" * 255
    first, again = post(client, SMALLEST, Idempotency_Key=key), post(client, SMALLEST, Idempotency_Key=key)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json["id"] == again.json["id"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    succeeds(database, claimed(database, worker_of(database)))
    late = post(client, SMALLEST, Idempotency_Key=key)
    assert (late.status_code, late.json["id"], late.json["state"]) == (202, first.json["id"], "succeeded")


def test_another_body_with_the_same_key_is_refused(client: FlaskClient, database: Database) -> None:
    post(client, SMALLEST, Idempotency_Key="k")
    response = post(client, b'{"stage":"tensor"}', Idempotency_Key="k")
    assert (response.status_code, response.json["type"]) == (422, "idempotency_key_reused")
    assert stored(database) == 2


def test_twins_that_arrive_together_are_one_job(app: OpenAPI, database: Database) -> None:
    def submit(_: int) -> Any:
        return post(app.test_client(), SMALLEST, Idempotency_Key="twin")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(submit, range(16)))
    assert {json_response.status_code for json_response in answers} == {202}
    assert len({json_response.json["id"] for json_response in answers}) == 1
    assert sum("Idempotent-Replayed" not in json_response.headers for json_response in answers) == 1
    assert stored(database) == 2


def test_a_full_queue_asks_to_come_again_later(app_with: AppWith, database: Database) -> None:
    client = app_with(max_queued_jobs=2).test_client()
    assert [post(client, SMALLEST, Idempotency_Key=str(n)).status_code for n in range(3)] == [202, 202, 429]
    response = post(client, SMALLEST)
    assert (response.json["type"], int(response.headers["Retry-After"]) > 0) == ("queue_full", True)
    assert post(client, SMALLEST, Idempotency_Key="0").status_code == 202  # a replay makes no new job
    assert stored(database) == 4


@on_sqlite
def test_a_stored_job_rings_its_queue(app_with: AppWith, redis_server: RedisServer) -> None:
    client = app_with(redis_url=SecretStr(redis_server.url), bell_timeout_seconds=60.0).test_client()
    with Redis.from_url(redis_server.url) as redis:
        redis.flushall()
        job_id = post(client, b'{"stage": "tensor", "device": "gpu"}', Idempotency_Key="k").json["id"]
        post(client, b'{"stage": "tensor", "device": "gpu"}', Idempotency_Key="k")  # still queued: rung again
        post(client, b"{}")
        bells = [json.loads(base64.b64decode(json.loads(raw)["body"]))[1] for raw in redis.lrange("gpu", 0, -1)]
        assert [bell["job_id"] for bell in bells] == [job_id, job_id]
        assert redis.llen("cpu") == 0


@on_sqlite
def test_a_frozen_redis_delays_one_submission_and_loses_none(
    app_with: AppWith, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried, tried_so_far, send = list[object](), list[int](), Bells._send

    def noted(bells: Bells, queue: str, message: dict[str, Any]) -> None:
        tried.append(message)
        send(bells, queue, message)

    with RedisForTests.running() as redis:
        app: Any = app_with(redis_url=SecretStr(redis.url))
        client = app.test_client()
        assert post(client, SMALLEST).status_code == 202
        redis.freeze()
        # A breaker that the submission before it did not open, and that does not close however long this takes.
        app.extensions["gradyard"].bells._breaker = Breaker(first_seconds=600.0, most_seconds=600.0)
        monkeypatch.setattr(Bells, "_send", noted)
        for _ in range(3):
            assert post(client, SMALLEST).status_code == 202
            tried_so_far.append(len(tried))
        assert tried_so_far == [1, 1, 1], "only the first waits for it"
    assert stored(database) == 4
