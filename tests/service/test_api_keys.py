"""Keys over HTTP: who may do what, whose jobs are whose, and how long a revoked key lives on."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from pydantic import SecretStr
from sqlalchemy import update
from werkzeug.exceptions import Unauthorized

from gradyard.jobs.api_keys import INCLUDED, Scope
from gradyard.jobs.settings import Settings
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.tables import ApiKey
from service.http.access.auth import OPEN_ENDPOINTS
from service.http.access.callers import FRESH_SECONDS
from service.http.access.scopes import NEEDED
from tests.actors import claimed, succeeds, worker_of
from tests.service.conftest import AppWith
from tests.service.routes_for_tests import VALUES, requests_of
from tests.stack.until import until

ADMIN = {"Authorization": "Bearer s3cret-canary-key"}
KeyOf = Callable[..., dict[str, str]]

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def app(app_with: AppWith) -> OpenAPI:
    return app_with(admin_key=SecretStr("s3cret-canary-key"))


@pytest.fixture
def key_of(client: FlaskClient) -> KeyOf:
    """Makes a key of a project, as the headers that show it."""

    def make(project: str, name: str = "ada", **asked: Any) -> dict[str, str]:
        asked |= {"project": project, "name": name}
        response = client.post("/v1/keys", json=asked, headers=ADMIN)
        assert response.status_code == 201, response.text
        return {"Authorization": f"Bearer {response.json['key']}"}  # type: ignore[index]

    return make


def submit(client: FlaskClient, headers: dict[str, str], **more: str) -> Any:
    response = client.post("/v1/jobs", json={"stage": "tensor", "steps": 4}, headers=headers | more)
    assert response.status_code == 202, response.text
    return response.json


@on_sqlite
def test_every_route_has_a_rule(app: OpenAPI) -> None:
    served = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert served == set(NEEDED) | OPEN_ENDPOINTS
    assert not set(NEEDED) & OPEN_ENDPOINTS
    assert set(NEEDED.values()) == set(Scope)


@on_sqlite
@pytest.mark.parametrize("scope", Scope)
def test_a_key_may_do_what_its_scope_says_and_nothing_else(
    app: OpenAPI, client: FlaskClient, key_of: KeyOf, scope: Scope
) -> None:
    key = key_of("physics", scopes=[scope])
    for method, path, endpoint in requests_of(app):
        if endpoint in OPEN_ENDPOINTS:
            continue
        status = client.open(path, method=method, headers=key, buffered=True).status_code
        allowed = method == "OPTIONS" or NEEDED[endpoint] in {scope, *INCLUDED.get(scope, ())}
        assert (status != 403) is allowed, f"{method} {path} ({endpoint}): {status}"
        assert status not in (401, 405, 500)


@on_sqlite
def test_a_refusal_names_the_scope_that_is_missing(client: FlaskClient, key_of: KeyOf) -> None:
    response = client.post("/v1/queues/cpu/pause", headers=key_of("physics"))
    assert (response.status_code, response.content_type) == (403, "application/problem+json")
    assert response.json is not None
    assert response.json["detail"] == "this is for keys with the scope operator; yours has jobs:read, jobs:write"


@on_sqlite
def test_the_document_names_the_scope_of_each_route(client: FlaskClient) -> None:
    paths = client.get("/openapi.json").json["paths"]  # type: ignore[index]
    assert paths["/v1/jobs"]["post"]["security"] == [{"key": ["jobs:write"]}, {}]
    assert paths["/v1/jobs/{job_id}"]["get"]["security"] == [{"key": ["jobs:read"]}, {}]
    assert paths["/v1/keys"]["post"]["security"] == [{"key": ["admin"]}, {}]
    assert paths["/healthz"]["get"]["security"] == [{}]


def test_a_key_is_told_once(client: FlaskClient) -> None:
    asked = {"name": "ada", "project": "physics", "expires_in_days": 30}
    response = client.post("/v1/keys", json=asked, headers=ADMIN)
    assert response.status_code == 201
    made = dict(response.json or {})
    secret = made.pop("key")
    assert made["state"] == "live"
    assert secret.startswith(made["hint"])
    listed = client.get("/v1/keys", headers=ADMIN)
    assert listed.json == {"keys": [made], "next_cursor": None}
    assert secret not in listed.text


@on_sqlite
def test_a_third_key_of_one_name_is_refused_and_says_what_to_do(client: FlaskClient, key_of: KeyOf) -> None:
    key_of("physics"), key_of("physics")
    refused = client.post("/v1/keys", json={"name": "ada", "project": "physics"}, headers=ADMIN)
    assert refused.status_code == 409
    assert refused.json is not None
    assert (refused.json["type"], refused.json["detail"]) == (
        "too_many_api_keys", "ada has 2 live keys of physics; revoke one of them first"
    )  # fmt: skip


def test_the_jobs_of_a_project_are_not_there_for_another(
    app: OpenAPI, client: FlaskClient, database: Database, key_of: KeyOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = key_of("physics", scopes=["admin"]), key_of("biology", scopes=["admin"])
    job = submit(client, mine)["id"]
    batch = client.post("/v1/batches", json={"jobs": [{"stage": "nn"}]}, headers=mine).json["id"]  # type: ignore[index]
    monkeypatch.setitem(VALUES, "job_id", job)
    monkeypatch.setitem(VALUES, "batch_id", batch)
    named = [each for each in requests_of(app) if (job in each[1] or batch in each[1]) and each[0] != "OPTIONS"]
    assert len(named) >= 14
    for method, path, endpoint in named:
        begin = time.monotonic()
        status = client.open(f"{path}?wait=20" if endpoint == "jobs.show_job" else path, method=method, headers=theirs)
        assert status.status_code == 404, f"{method} {path} ({endpoint})"
        assert time.monotonic() - begin < 15
    nothing: dict[str, object] = {"jobs": [], "next_cursor": None, "looked_back_to": None}
    assert client.get("/v1/jobs", headers=theirs).json == nothing
    assert client.get(f"/v1/jobs?batch={batch}", headers=theirs).status_code == 404
    assert client.get("/v1/batches", headers=theirs).json == {"batches": [], "next_cursor": None}
    assert client.get(f"/v1/jobs/{job}", headers=ADMIN).status_code == 404
    assert client.get(f"/v1/jobs/{job}", headers=mine).json["state"] == "queued"  # type: ignore[index]


@on_sqlite
def test_a_deleted_job_is_gone_for_its_project_alone(client: FlaskClient, database: Database, key_of: KeyOf) -> None:
    mine, theirs = key_of("physics"), key_of("biology")
    job = submit(client, mine)["id"]
    succeeds(database, claimed(database, worker_of(database)))
    assert client.delete(f"/v1/jobs/{job}", headers=mine).status_code == 204
    assert client.get(f"/v1/jobs/{job}", headers=mine).status_code == 410
    assert client.get(f"/v1/jobs/{job}", headers=theirs).status_code == 404


@on_sqlite
def test_workers_show_each_project_its_own_jobs(client: FlaskClient, database: Database, key_of: KeyOf) -> None:
    mine, theirs = key_of("physics"), key_of("biology")
    job = submit(client, mine)["id"]
    claimed(database, worker_of(database))
    for headers, jobs in ((mine, [job]), (theirs, [])):
        (worker,) = client.get("/v1/workers", headers=headers).json["workers"]  # type: ignore[index]
        assert (worker["state"], worker["current_jobs"]) == ("busy", jobs)


@on_sqlite
def test_queues_show_a_project_what_is_its_own_and_an_administrator_all(client: FlaskClient, key_of: KeyOf) -> None:
    keys = [key_of("physics"), key_of("biology")]
    for headers in (*keys, keys[0]):
        submit(client, headers)
    depths = [client.get("/v1/queues", headers=each).json["queues"][0]["depth"] for each in (*keys, ADMIN)]  # type: ignore[index]
    assert depths == [2, 1, 3]


@on_sqlite
def test_idempotency_keys_are_a_projects_own(client: FlaskClient, key_of: KeyOf) -> None:
    mine, theirs, again = key_of("physics"), key_of("biology"), key_of("physics", "grace")
    jobs = [submit(client, headers, **{"Idempotency-Key": "k"})["id"] for headers in (mine, theirs, again)]
    assert jobs[0] == jobs[2] != jobs[1]


def test_a_full_queue_is_a_projects_own(app_with: AppWith, key_of: KeyOf) -> None:
    client = app_with(admin_key=SecretStr("s3cret-canary-key"), max_queued_jobs=2).test_client()
    mine, theirs = key_of("physics"), key_of("biology")
    for _ in range(2):
        submit(client, mine)
    for path, body in (("/v1/jobs", {"stage": "nn"}), ("/v1/batches", {"jobs": [{"stage": "nn"}]})):
        refused = client.post(path, json=body, headers=mine)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "5")
    submit(client, theirs)


def test_a_job_of_another_project_waits_for_one_pack_of_a_large_batch_and_no_more(
    client: FlaskClient, database: Database, key_of: KeyOf
) -> None:
    many = {"spec": {"stage": "autograd"}, "grid": {"seed": {"stop": 2000}}}
    assert client.post("/v1/batches", json=many, headers=key_of("physics")).status_code == 202
    worker = worker_of(database)
    succeeds(database, claimed(database, worker))
    job = submit(client, key_of("biology"))["id"]
    assert [str(member.id) for member in claimed(database, worker).members] == [job]


@on_sqlite
def test_what_a_key_did_bears_its_name(client: FlaskClient, key_of: KeyOf) -> None:
    key = key_of("physics")
    job = submit(client, key)["id"]
    client.post(f"/v1/jobs/{job}/cancel", headers=key)
    events = client.get(f"/v1/jobs/{job}/events", headers=key).json["events"]  # type: ignore[index]
    assert [event["actor"] for event in events] == ["api:ada@physics", "api:ada@physics"]


def test_a_revoked_key_opens_nothing_within_five_seconds_in_any_process(
    app_with: AppWith, client: FlaskClient, key_of: KeyOf
) -> None:
    key, other = key_of("physics"), app_with(admin_key=SecretStr("s3cret-canary-key")).test_client()
    for each in (client, other):
        assert each.get("/v1/jobs", headers=key).status_code == 200
    key_id = client.get("/v1/keys", headers=ADMIN).json["keys"][0]["id"]  # type: ignore[index]
    assert client.delete(f"/v1/keys/{key_id}", headers=ADMIN).status_code == 204
    assert FRESH_SECONDS < 5, "for no longer a process believes what it looked up"
    for each in (client, other):
        until(lambda each=each: each.get("/v1/jobs", headers=key).status_code == 401)  # type: ignore[misc]
    assert client.delete(f"/v1/keys/{key_id}", headers=ADMIN).status_code == 204
    assert client.get("/v1/keys", headers=ADMIN).json["keys"][0]["state"] == "revoked"  # type: ignore[index]


@on_sqlite
def test_a_request_that_waits_does_not_outlive_its_key(
    app: OpenAPI,
    client: FlaskClient,
    database: Database,
    key_of: KeyOf,
    admitted: list[object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("service.http.access.callers.FRESH_SECONDS", 0.0)
    key = key_of("physics")
    job = submit(client, key)["id"]
    key_id = client.get("/v1/keys", headers=ADMIN).json["keys"][0]["id"]  # type: ignore[index]
    with ThreadPoolExecutor(1) as thread:
        waits = thread.submit(app.test_client().get, f"/v1/jobs/{job}?wait=60", headers=key)
        until(lambda: len(admitted) == 1)
        client.delete(f"/v1/keys/{key_id}", headers=ADMIN)
        with database.begin() as connection:  # ends the wait
            lifecycle.request_cancel(connection, UUID(job), actor="client")
        assert waits.result().status_code == 401


@on_sqlite
def test_an_export_breaks_off_when_its_key_is_revoked(
    client: FlaskClient, key_of: KeyOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.exports.slices.SLICE_JOBS", 1)
    monkeypatch.setattr("service.streamed.BLOCK_BYTES", 1)
    monkeypatch.setattr("service.http.access.callers.FRESH_SECONDS", 0.0)
    key = key_of("physics")
    jobs = [{"stage": "tensor", "seed": seed} for seed in range(5)]
    batch = client.post("/v1/batches", json={"jobs": jobs}, headers=key).json["id"]  # type: ignore[index]
    lines = iter(client.get(f"/v1/batches/{batch}/export", headers=key, buffered=False).response)
    assert next(lines)
    key_id = client.get("/v1/keys", headers=ADMIN).json["keys"][0]["id"]  # type: ignore[index]
    client.delete(f"/v1/keys/{key_id}", headers=ADMIN)
    with pytest.raises(Unauthorized, match="revoked"):
        list(lines)


@on_sqlite
def test_an_export_breaks_off_within_a_slice_when_its_key_is_revoked(
    client: FlaskClient, key_of: KeyOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.streamed.BLOCK_BYTES", 1)
    monkeypatch.setattr("service.http.access.callers.FRESH_SECONDS", 0.0)
    key = key_of("physics")
    for seed in range(5):
        client.post("/v1/jobs", json={"stage": "tensor", "seed": seed}, headers=key)
    lines = iter(client.get("/v1/jobs/export", headers=key, buffered=False).response)
    assert next(lines)
    key_id = client.get("/v1/keys", headers=ADMIN).json["keys"][0]["id"]  # type: ignore[index]
    client.delete(f"/v1/keys/{key_id}", headers=ADMIN)
    with pytest.raises(Unauthorized, match="revoked"):
        next(lines)


@on_sqlite
def test_an_expired_key_opens_nothing(client: FlaskClient, database: Database, key_of: KeyOf) -> None:
    key = key_of("physics", expires_in_days=1)
    with database.begin() as connection:
        connection.execute(update(ApiKey).values(expires_at=ApiKey.created_at))
    response = client.get("/v1/jobs", headers=key)
    assert (response.status_code, "invalid_token" in response.headers["WWW-Authenticate"]) == (401, True)
    assert client.get("/v1/keys", headers=ADMIN).json["keys"][0]["state"] == "expired"  # type: ignore[index]


@on_sqlite
def test_a_key_is_found_by_a_beginning_of_its_id_that_no_other_has(
    client: FlaskClient, key_of: KeyOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = (("aaaaaaaa", 1), ("aaaaaaaa", 2), ("bbbbbbbb", 1))
    ids = iter([UUID(f"{first}-0000-7000-8000-{last:012}") for first, last in begun])
    monkeypatch.setattr("gradyard.store.lifecycle.api_keys.new_id", lambda: next(ids))
    for project in ("physics", "biology", "physics"):
        key_of(project)
    both = client.delete("/v1/keys/aaaaaaaa", headers=ADMIN)
    assert both.status_code == 409
    assert [each["id"][-1] for each in both.json["candidates"]] == ["2", "1"]  # type: ignore[index]
    assert client.delete("/v1/keys/bbbbbbbb-0000", headers=ADMIN).status_code == 204
    states = {each["id"]: each["state"] for each in client.get("/v1/keys", headers=ADMIN).json["keys"]}  # type: ignore[index]
    assert sorted(states.values()) == ["live", "live", "revoked"]
    assert states["bbbbbbbb-0000-7000-8000-000000000001"] == "revoked"
    assert client.delete("/v1/keys/bbbbbbb", headers=ADMIN).status_code == 404  # of seven digits


@on_sqlite
@pytest.mark.parametrize("key_id", [str(UUID(int=9)), "x", "1" * 32])
def test_a_key_that_is_not_there_is_not_found(client: FlaskClient, key_id: str) -> None:
    assert client.delete(f"/v1/keys/{key_id}", headers=ADMIN).status_code == 404


@on_sqlite
def test_on_a_service_without_an_admin_key_a_key_opens_its_project_and_no_other(app_with: AppWith) -> None:
    client = app_with().test_client()
    secret = client.post("/v1/keys", json={"name": "ada", "project": "physics"}).json["key"]  # type: ignore[index]
    key = {"Authorization": f"Bearer {secret}"}
    job = submit(client, key | {"Host": "gradyard.example"})["id"]
    assert client.get(f"/v1/jobs/{job}", headers=key).status_code == 200
    assert client.get(f"/v1/jobs/{job}").status_code == 404
    assert client.get("/v1/keys", headers=key).status_code == 403
    assert client.get("/v1/jobs", headers={"Authorization": "Bearer gradyard_unknown"}).status_code == 401
    assert client.get("/v1/jobs", headers={"Authorization": "Bearer for-another-service"}).status_code == 200


@on_sqlite
def test_without_its_database_a_key_is_asked_to_come_again(app_with: AppWith, settings: Settings) -> None:
    nowhere = f"sqlite:///{settings.state_dir}/none/none.db"
    client = app_with(admin_key=SecretStr("a"), database_url=SecretStr(nowhere)).test_client()
    response = client.get("/v1/jobs", headers={"Authorization": "Bearer gradyard_x"})
    assert response.status_code == 503
    assert response.headers["Retry-After"]


@on_sqlite
def test_the_log_says_whose_key_it_was_and_never_the_key(
    app_with: AppWith, key_of: KeyOf, capfd: pytest.CaptureFixture[str]
) -> None:
    key = key_of("physics")
    client = app_with(
        admin_key=SecretStr("s3cret-canary-key")
    ).test_client()  # its log is what is captured from here on
    client.get("/v1/jobs", headers=key)
    client.get("/v1/keys", headers=ADMIN)
    log = capfd.readouterr().err
    assert log.count('"path": "/v1/jobs", "status": 200') == log.count('"key": "ada@physics"') == 1
    assert key["Authorization"].split()[1] not in log
    assert "canary" not in log
