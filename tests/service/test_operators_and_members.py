"""Operators see all projects, members change their own work alone, and what was done to keys and fleet is kept."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from pydantic import SecretStr
from sqlalchemy import update

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from gradyard.store.tables import ApiKey, Batch
from tests.actors import claimed, submitted, succeeds, worker_of
from tests.service.conftest import AppWith

ADMIN = {"Authorization": "Bearer s3cret-canary-key"}
JOB = {"stage": "tensor", "steps": 4}
KeyOf = Callable[..., dict[str, str]]

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def app(app_with: AppWith) -> OpenAPI:
    return app_with(admin_key=SecretStr("s3cret-canary-key"))


@pytest.fixture
def key_of(client: FlaskClient) -> KeyOf:
    """Makes a key of a project, as the headers that show it."""

    def make(name: str, project: str, *scopes: str) -> dict[str, str]:
        made = asked(client, "POST", "/v1/keys", ADMIN, {"name": name, "project": project, "scopes": scopes})
        return {"Authorization": f"Bearer {made['key']}"}

    return make


def asked(client: FlaskClient, method: str, path: str, headers: dict[str, str], body: Any = None) -> Any:
    response = client.open(path, method=method, headers=headers, json=body)
    assert response.status_code < 300, response.text
    return response.json


def refused(client: FlaskClient, method: str, path: str, headers: dict[str, str], body: Any = None) -> tuple[int, str]:
    response = client.open(path, method=method, headers=headers, json=body)
    return response.status_code, response.json["detail"]  # type: ignore[index]


def audit_of(client: FlaskClient, query: str = "") -> list[tuple[str, str, str]]:
    entries = asked(client, "GET", f"/v1/audit{query}", ADMIN)["entries"]
    return [(each["action"], each["actor"], each["target"]) for each in reversed(entries)]


def test_a_job_and_a_batch_say_whose_key_submitted_them(client: FlaskClient, key_of: KeyOf) -> None:
    ada = key_of("ada", "physics", "jobs:read", "jobs:write")
    job = asked(client, "POST", "/v1/jobs", ada, JOB)
    batch = asked(client, "POST", "/v1/batches", ada, {"jobs": [JOB, JOB]})
    assert job["submitted_by"] == "api:ada@physics"
    listed = asked(client, "GET", "/v1/jobs", ada)["jobs"]
    assert {each["submitted_by"] for each in listed} == {"api:ada@physics"}
    assert asked(client, "GET", f"/v1/batches/{batch['id']}", ada)["submitted_by"] == "api:ada@physics"


def test_an_operator_sees_the_project_that_it_names_and_changes_nothing_there(
    client: FlaskClient, key_of: KeyOf
) -> None:
    ada, ops = key_of("ada", "physics", "jobs:read", "jobs:write"), key_of("ops", "default", "operator")
    job = asked(client, "POST", "/v1/jobs", ada, JOB)["id"]
    assert asked(client, "GET", "/v1/jobs", ops)["jobs"] == []
    assert [each["id"] for each in asked(client, "GET", "/v1/jobs?project=physics", ops)["jobs"]] == [job]
    assert refused(client, "GET", f"/v1/jobs/{job}", ops)[0] == 404
    assert asked(client, "GET", f"/v1/jobs/{job}?project=physics", ops)["id"] == job
    assert refused(client, "POST", f"/v1/jobs/{job}/cancel?project=physics", ops)[0] == 403
    assert refused(client, "GET", "/v1/jobs?project=nowhere", ops) == (404, "there is no project nowhere")
    queues = [asked(client, "GET", f"/v1/queues{query}", ops)["queues"] for query in ("", "?project=default")]
    assert [each[0]["depth"] for each in queues] == [1, 0]


@on_sqlite
def test_a_member_names_no_project_but_its_own(client: FlaskClient, key_of: KeyOf) -> None:
    ada = key_of("ada", "physics", "jobs:read", "admin")
    for name in ("default", "nowhere"):
        status, detail = refused(client, "GET", f"/v1/jobs?project={name}", ada)
        assert (status, "scope operator" in detail) == (403, True)
    assert asked(client, "GET", "/v1/jobs?project=physics", ada)["jobs"] == []


@on_sqlite
def test_what_an_operator_submits_to_a_project_is_where_its_location_says(client: FlaskClient, key_of: KeyOf) -> None:
    key_of("ada", "physics", "jobs:read")
    for path, body in (("jobs", JOB), ("batches", {"jobs": [JOB]})):
        made = client.post(f"/v1/{path}?project=physics", json=body, headers=ADMIN)
        assert made.headers["Location"].endswith("?project=physics")
        assert client.get(made.headers["Location"], headers=ADMIN).status_code == 200


@pytest.mark.parametrize("kind", ["jobs", "batches"])
def test_a_member_changes_its_own_alone_and_an_administrator_of_the_project_all(
    client: FlaskClient, key_of: KeyOf, kind: str
) -> None:
    members = [key_of(name, "physics", "jobs:read", "jobs:write") for name in ("ada", "bob")]
    teacher, body = key_of("teacher", "physics", "admin"), JOB if kind == "jobs" else {"jobs": [JOB]}
    ids = [asked(client, "POST", f"/v1/{kind}", members[0], body)["id"] for _ in range(2)]
    for method, end in (("POST", "/cancel"), ("DELETE", "")):
        status, detail = refused(client, method, f"/v1/{kind}/{ids[0]}{end}", members[1])
        assert (status, "api:ada@physics submitted the " in detail) == (403, True)
        asked(client, method, f"/v1/{kind}/{ids[0]}{end}", members[0])
        asked(client, method, f"/v1/{kind}/{ids[1]}{end}", teacher)


def test_the_batch_of_an_older_version_is_its_first_jobs_submitters(
    client: FlaskClient, database: Database, key_of: KeyOf
) -> None:
    ada, bob = (key_of(name, "physics", "jobs:read", "jobs:write") for name in ("ada", "bob"))
    batch = asked(client, "POST", "/v1/batches", ada, {"jobs": [JOB]})["id"]
    with database.begin() as connection:
        connection.execute(update(Batch).values(submitted_by=None))
    assert refused(client, "POST", f"/v1/batches/{batch}/cancel", bob)[0] == 403
    asked(client, "POST", f"/v1/batches/{batch}/cancel", ada)


def test_without_keys_each_program_of_the_machine_may_change_all(app_with: AppWith) -> None:
    client = app_with().test_client()
    job = asked(client, "POST", "/v1/jobs", {}, JOB)
    assert job["submitted_by"] == "api"
    asked(client, "POST", f"/v1/jobs/{job['id']}/cancel", {})


@on_sqlite
def test_an_administrator_of_a_project_has_its_keys_and_no_others(client: FlaskClient, key_of: KeyOf) -> None:
    teacher = key_of("teacher", "physics", "admin")
    key_of("eve", "biology", "jobs:read")
    made = asked(client, "POST", "/v1/keys", teacher, {"name": "bob"})
    assert (made["project"], made["created_by"]) == ("physics", "api:teacher@physics")
    assert {each["project"] for each in asked(client, "GET", "/v1/keys", teacher)["keys"]} == {"physics"}
    assert len(asked(client, "GET", "/v1/keys", ADMIN)["keys"]) == 3
    for body in ({"name": "x", "project": "biology"}, {"name": "x", "project": "a-new-one"}):
        assert refused(client, "POST", "/v1/keys", teacher, body)[0] == 403
    for scope in ("operator", "metrics:read"):
        status, detail = refused(client, "POST", "/v1/keys", teacher, {"name": "x", "scopes": ["admin", scope]})
        assert (status, scope in detail) == (403, True)
    assert {each["name"] for each in asked(client, "GET", "/v1/keys", ADMIN)["keys"]} == {"teacher", "eve", "bob"}


@on_sqlite
def test_a_project_neither_revokes_nor_takes_over_the_key_of_an_operator(client: FlaskClient, key_of: KeyOf) -> None:
    teacher = key_of("teacher", "default", "admin")
    key_of("ops", "default", "operator")
    ops = next(key["id"] for key in asked(client, "GET", "/v1/keys", ADMIN)["keys"] if key["name"] == "ops")
    assert refused(client, "DELETE", f"/v1/keys/{ops}", teacher)[0] == 403
    assert refused(client, "POST", f"/v1/keys/{ops}/rotate", teacher)[0] == 403


def test_a_key_of_an_earlier_version_with_admin_may_what_it_could(
    client: FlaskClient, database: Database, settings: Settings, key_of: KeyOf
) -> None:
    key = key_of("old", "physics", "jobs:read")
    with database.begin() as connection:
        connection.execute(update(ApiKey).values(scopes=["admin"]))  # as that version stored it
    assert asked(client, "GET", "/v1/keys", key)["keys"][0]["scopes"] == ["admin", "operator"]
    asked(client, "POST", "/v1/keys", key, {"name": "eve", "project": "biology", "scopes": ["operator"]})
    asked(client, "POST", "/v1/queues/cpu/pause", key)
    assert client.get("/metrics", headers=key).status_code == 200


def test_a_key_and_its_successor_open_the_project_until_the_old_one_expires(
    client: FlaskClient, database: Database, key_of: KeyOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.http.access.callers.FRESH_SECONDS", 0.0)
    old = key_of("ci", "physics", "jobs:read", "jobs:write")
    job = asked(client, "POST", "/v1/jobs", old, JOB)["id"]
    (listed,) = asked(client, "GET", "/v1/keys", ADMIN)["keys"]
    made = asked(client, "POST", f"/v1/keys/{listed['id']}/rotate", ADMIN, {"overlap_hours": 1})
    new = {"Authorization": f"Bearer {made['key']}"}
    assert (made["name"], made["project"], made["scopes"]) == ("ci", "physics", ["jobs:read", "jobs:write"])
    for key in (old, new):
        assert asked(client, "GET", "/v1/jobs", key)["jobs"][0]["id"] == job
    status, detail = refused(client, "POST", f"/v1/keys/{made['id']}/rotate", ADMIN)
    assert (status, "2 live keys" in detail) == (409, True)
    with database.begin() as connection:
        connection.execute(update(ApiKey).where(ApiKey.expires_at.is_not(None)).values(expires_at=ApiKey.created_at))
    assert client.get("/v1/jobs", headers=old).status_code == 401
    asked(client, "POST", f"/v1/jobs/{job}/cancel", new)  # its own: the holder is the same
    assert refused(client, "POST", f"/v1/keys/{listed['id']}/rotate", ADMIN)[0] == 409


@on_sqlite
def test_without_an_overlap_the_old_key_ends_at_once(client: FlaskClient, key_of: KeyOf) -> None:
    old = key_of("ci", "physics", "jobs:read")
    (listed,) = asked(client, "GET", "/v1/keys", ADMIN)["keys"]
    asked(client, "POST", f"/v1/keys/{listed['id']}/rotate", ADMIN, {"overlap_hours": 0})
    assert client.get("/v1/jobs", headers=old).status_code == 401


def test_what_was_done_to_keys_workers_and_queues_and_what_was_deleted_is_in_the_audit(
    client: FlaskClient, database: Database, settings: Settings, key_of: KeyOf
) -> None:
    worker, job = worker_of(database), submitted(database, settings)
    succeeds(database, claimed(database, worker))
    ops = key_of("ops", "default", "operator")
    key = asked(client, "GET", "/v1/keys", ADMIN)["keys"][0]["id"]
    asked(client, "POST", "/v1/workers/host/drain", ops, {"reason": "new disk"})
    asked(client, "POST", "/v1/workers/host/undrain", ops)
    asked(client, "POST", "/v1/queues/cpu/pause", ops)
    asked(client, "POST", "/v1/queues/cpu/resume", ops)
    asked(client, "POST", "/v1/queues/cpu/resume", ops)  # which changes nothing
    asked(client, "DELETE", f"/v1/jobs/{job}", ADMIN)
    rotated = asked(client, "POST", f"/v1/keys/{key}/rotate", ADMIN)["id"]
    asked(client, "DELETE", f"/v1/keys/{rotated}", ADMIN)
    asked(client, "DELETE", f"/v1/keys/{rotated}", ADMIN)
    ops_actor = "api:ops@default"
    done = [
        ("key_created", "api", key), ("drained", ops_actor, "host"), ("undrained", ops_actor, "host"),
        ("paused", ops_actor, "cpu"), ("resumed", ops_actor, "cpu"), ("job_deleted", "api", str(job)),
        ("key_rotated", "api", rotated), ("key_revoked", "api", rotated),
    ]  # fmt: skip
    assert audit_of(client) == done
    assert audit_of(client, "?action=drained") == done[1:2]
    assert audit_of(client, f"?actor={ops_actor}") == done[1:5]
    first = asked(client, "GET", "/v1/audit?limit=3", ADMIN)
    rest = asked(client, "GET", f"/v1/audit?cursor={first['next_cursor']}", ADMIN)
    assert [len(first["entries"]), len(rest["entries"]), rest["next_cursor"]] == [3, 5, None]
    assert rest["entries"][3]["detail"] == "new disk"


def test_a_deleted_batch_is_one_entry_in_its_project(client: FlaskClient, key_of: KeyOf) -> None:
    ada = key_of("ada", "physics", "jobs:read", "jobs:write")
    batch = asked(client, "POST", "/v1/batches", ada, {"jobs": [JOB] * 5})["id"]
    assert refused(client, "DELETE", f"/v1/batches/{batch}", ada)[0] == 409  # and no entry: it is queued
    asked(client, "POST", f"/v1/batches/{batch}/cancel", ada)
    asked(client, "DELETE", f"/v1/batches/{batch}", ada)
    (entry,) = asked(client, "GET", "/v1/audit?project=physics", ADMIN)["entries"]
    assert (entry["action"], entry["target"], entry["detail"]) == ("batch_deleted", batch, "of 5 jobs")
    assert [action for action, _, _ in audit_of(client, "?project=default")] == ["key_created"]
