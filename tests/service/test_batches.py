"""Batches over HTTP."""

from base64 import b64decode
from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import pytest
from flask.testing import FlaskClient

from gradyard.store.database import Database
from service.exports import slices
from tests.actors import claimed, succeeds, worker_of
from tests.service.conftest import AppWith

SWEEP = {"spec": {"stage": "nn", "steps": 4}, "grid": {"seed": {"stop": 5}}, "name": "five"}
LINES = b"".join(orjson.dumps({"stage": "nn", "steps": 4, "seed": seed}) + b"\n" for seed in range(5))


def got(client: FlaskClient, path: str) -> Any:
    return client.get(path).json


def posted(client: FlaskClient, value: object, **headers: str) -> Any:
    return client.post("/v1/batches", json=value, headers=headers)


def test_a_sweep_is_accepted_shown_and_listed(client: FlaskClient, database: Database) -> None:
    response = posted(client, SWEEP)
    assert response.status_code == 202
    assert response.json == {"id": response.json["id"], "size": 5}
    shown = got(client, response.headers["Location"])
    assert (shown["state"], shown["name"], shown["size"], shown["counts"]["queued"]) == ("queued", "five", 5, 5)
    for name in ("sweep", "failures"):  # which lists leave out
        del shown[name]
    assert got(client, "/v1/batches") == {"batches": [shown], "next_cursor": None}
    jobs = got(client, f"/v1/jobs?batch={shown['id']}")["jobs"]
    assert [job["spec"]["seed"] for job in jobs] == [4, 3, 2, 1, 0]
    assert {job["batch"] for job in jobs} == {shown["id"]}
    claim = claimed(database, worker_of(database))
    assert got(client, f"/v1/batches/{shown['id']}")["state"] == "running"
    succeeds(database, claim)
    finished = got(client, f"/v1/batches/{shown['id']}")
    assert (finished["state"], finished["counts"]["succeeded"]) == ("finished", 5)
    assert len(got(client, f"/v1/batches/{shown['id']}/best?limit=3")["jobs"]) == 3


def test_lines_and_a_list_are_accepted_too(client: FlaskClient) -> None:
    lines: Any = client.post("/v1/batches", data=LINES, content_type="application/x-ndjson")
    assert (lines.status_code, lines.json["size"]) == (202, 5)
    assert posted(client, {"jobs": [{"stage": "nn"}]}).json["size"] == 1


def test_a_refused_batch_says_which_members_are_wrong_and_stores_nothing(client: FlaskClient) -> None:
    response = posted(client, {"jobs": [{"stage": "nn"}, {"stage": "nn", "steps": 0}, {"stage": "nope"}]})
    assert (response.status_code, response.json["type"], response.json["total"]) == (422, "batch_invalid", 2)
    assert [(each["index"], each["pointer"]) for each in response.json["errors"]] == [(1, "/steps"), (2, "/stage")]
    assert got(client, "/v1/jobs")["jobs"] == []


def test_a_wrong_value_of_a_sweep_is_told_once_where_it_stands(client: FlaskClient) -> None:
    response = posted(client, SWEEP | {"grid": {"learning_rate": [1e-6, -1], "seed": {"stop": 1000}}})
    assert (response.status_code, response.json["type"]) == (422, "spec_invalid")
    message = 'must be greater than 0 or "auto", not -1'
    assert response.json["errors"] == [{"pointer": "/grid/learning_rate/1", "message": message}]
    assert got(client, "/v1/jobs")["jobs"] == []


def test_the_same_key_and_body_make_one_batch(client: FlaskClient) -> None:
    first = posted(client, SWEEP, **{"Idempotency-Key": "k"})
    again = posted(client, SWEEP, **{"Idempotency-Key": "k"})
    assert again.json == first.json
    assert again.headers["Idempotent-Replayed"] == "true"
    assert posted(client, SWEEP | {"name": "other"}, **{"Idempotency-Key": "k"}).status_code == 422
    assert client.post("/v1/jobs", json={"stage": "nn"}, headers={"Idempotency-Key": "k"}).status_code == 422


def test_a_batch_is_cancelled_also_where_its_worker_is_silent(client: FlaskClient, database: Database) -> None:
    batch = posted(client, {"jobs": [{"stage": "nn", "steps": 4 + number % 2} for number in range(6)]}).json["id"]
    claimed(database, worker_of(database))
    cancelled: Any = client.post(f"/v1/batches/{batch}/cancel")
    assert (cancelled.status_code, cancelled.json["state"]) == (200, "finished")
    assert cancelled.json["counts"]["cancelled"] == 6
    assert client.post(f"/v1/batches/{batch}/cancel").json == cancelled.json


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 400), (b"{", "application/json", 400), (b"stage,seed", "text/csv", 415),
        (b"[1]", "application/json", 422), (b" " * 3000, "application/json", 413),
        (b"\n\n", "application/x-ndjson", 422),
    ],
)  # fmt: skip
def test_what_is_no_batch_is_refused(app_with: AppWith, body: bytes, kind: str, status: int) -> None:
    client = app_with(max_batch_bytes=2000).test_client()
    response: Any = client.post("/v1/batches", data=body, content_type=kind)
    assert response.status_code == status, response.text


def test_a_compressed_batch_is_refused(client: FlaskClient) -> None:
    packed: Any = client.post("/v1/batches", json=SWEEP, headers={"Content-Encoding": "gzip"})
    assert (packed.status_code, packed.json["type"]) == (415, "unsupported_media_type")


def test_a_batch_may_be_larger_than_a_job(app_with: AppWith) -> None:
    client = app_with(max_json_bytes=200).test_client()
    response: Any = client.post("/v1/batches", data=LINES * 20, content_type="application/x-ndjson")
    assert (response.status_code, response.json["size"]) == (202, 100)


@pytest.mark.parametrize("batch", ["nonsense", "00000000-0000-0000-0000-000000000001"])
def test_there_is_no_such_batch(client: FlaskClient, batch: str) -> None:
    assert client.get(f"/v1/batches/{batch}").status_code == 404
    assert client.post(f"/v1/batches/{batch}/cancel").status_code == 404


def test_the_jobs_of_one_stage_in_a_batch_come_newest_first_whatever_their_states(
    client: FlaskClient, database: Database
) -> None:
    stages = ["tensor", "nn", "tensor", "tensor", "nn", "tensor"]
    batch = posted(client, {"jobs": [{"stage": stage, "steps": 4, "seed": n} for n, stage in enumerate(stages)]}).json
    succeeds(database, claimed(database, replace(worker_of(database), most_members=2)))  # the first two of tensor
    query = f"batch={batch['id']}&stage=tensor&limit=3"
    page = got(client, f"/v1/jobs?{query}")
    rest = got(client, f"/v1/jobs?{query}&cursor={page['next_cursor']}")
    found = [(job["spec"]["seed"], job["state"]) for each in (page, rest) for job in each["jobs"]]
    assert found == [(5, "queued"), (3, "queued"), (2, "succeeded"), (0, "succeeded")]
    done = got(client, f"/v1/jobs?{query}&state=succeeded")["jobs"]
    assert [job["spec"]["seed"] for job in done] == [2, 0]
    assert got(client, f"/v1/jobs?{query}&state=failed")["jobs"] == []


def losses_of(job: dict[str, Any]) -> list[float]:
    return np.frombuffer(b64decode(job["losses"]), np.dtype(job["dtype"]).newbyteorder("<")).tolist()


def test_a_batch_is_exported_whatever_its_jobs_are_doing(client: FlaskClient, database: Database) -> None:
    sweep = {"spec": {"stage": "tensor", "steps": 4}, "grid": {"seed": {"stop": 3}}}
    location = client.post("/v1/batches", json=sweep).headers["Location"]
    succeeds(database, claimed(database, replace(worker_of(database), most_members=2)))
    json_response = client.get(f"{location}/export")
    assert (json_response.status_code, json_response.content_type) == (200, "application/x-ndjson")
    jobs = [orjson.loads(line) for line in json_response.data.splitlines()]
    assert [(job["seed"], job["state"], job["losses"]) for job in jobs] == [
        (0, "succeeded", [4.0, 3.0, 2.0, 1.0]), (1, "succeeded", [4.0, 3.0, 2.0, 1.0]), (2, "queued", []),
    ]  # fmt: skip
    packed = [orjson.loads(line) for line in client.get(f"{location}/export?losses=base64").data.splitlines()]
    assert [job | {"losses": losses_of(job)} for job in packed] == jobs
    table = client.get(f"{location}/export", headers={"Accept": "text/csv"}).text.splitlines()
    assert table[:2] == ["job,step,loss", f"{jobs[0]['id']},0,4.0"]
    assert len(table) == 1 + 2 * 4
    assert client.get(f"{location}/export", headers={"Accept": "image/png"}).status_code == 406


def test_an_export_goes_on_behind_each_slice(
    client: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "SLICE_BYTES", 2 * 4 * 4)  # two curves
    sweep = {"spec": {"stage": "tensor", "steps": 4}, "grid": {"seed": {"stop": 5}}}
    location = client.post("/v1/batches", json=sweep).headers["Location"]
    lines = client.get(f"{location}/export").data.splitlines()
    assert [orjson.loads(line)["seed"] for line in lines] == list(range(5))
