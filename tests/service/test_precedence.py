"""Precedence over other projects is the operator's to give; priority is each member's, among the jobs of a project."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from pydantic import SecretStr

from gradyard.store.database import Database
from tests.actors import claimed, fails, worker_of
from tests.service.conftest import AppWith

JOB = {"stage": "tensor", "steps": 4}
ADMIN = {"Authorization": "Bearer s3cret-canary-key"}


@pytest.fixture
def app(app_with: AppWith) -> OpenAPI:
    """An app with an administrator's key."""
    return app_with(admin_key=SecretStr("s3cret-canary-key"))


def key_of(client: FlaskClient, project: str, *scopes: str) -> dict[str, str]:
    asked = {"name": "ada", "project": project, "scopes": list(scopes)}
    made: Any = client.post("/v1/keys", json=asked, headers=ADMIN)
    return {"Authorization": f"Bearer {made.json['key']}"}


def submitted(client: FlaskClient, path: str, headers: dict[str, str], body: object = JOB) -> Any:
    return client.post(path, json=body, headers=headers)


def test_a_key_of_a_project_cannot_go_before_other_projects(client: FlaskClient, database: Database) -> None:
    mine, theirs = key_of(client, "mine", "jobs:write", "jobs:read"), key_of(client, "theirs", "jobs:write")
    first = submitted(client, "/v1/jobs", theirs).json["id"]
    urgent = submitted(client, "/v1/jobs", mine, JOB | {"priority": 100, "steps": 5}).json["id"]
    for path, body in (("/v1/jobs", JOB), ("/v1/batches", {"jobs": [JOB]}), (f"/v1/jobs/{first}/retry", None)):
        refused = submitted(client, f"{path}?precedence=1", mine, body)
        if "retry" not in path:
            assert (refused.status_code, refused.json["type"]) == (403, "forbidden")
            assert "scope operator" in refused.json["detail"]
    worker = worker_of(database)
    taken = []
    for _ in range(2):
        claim = claimed(database, worker)
        taken += [str(each.id) for each in claim.members]
        fails(database, claim)
    assert taken == [first, urgent]


def test_a_key_of_the_operator_gives_precedence_to_jobs_and_batches(client: FlaskClient, database: Database) -> None:
    operator = key_of(client, "operations", "jobs:write", "jobs:read", "operator")
    first = submitted(client, "/v1/jobs", ADMIN).json
    urgent = submitted(client, "/v1/jobs?precedence=7", operator, JOB | {"steps": 5})
    assert (urgent.status_code, urgent.json["precedence"], first["precedence"]) == (202, 7, 0)
    batch = submitted(client, "/v1/batches?precedence=8", operator, {"jobs": [JOB | {"steps": 6}]})
    assert batch.status_code == 202
    worker = worker_of(database)
    order = []
    for _ in range(3):
        claim = claimed(database, worker)
        order.append(claim.steps)
        fails(database, claim)
    assert order == [6, 5, 4]
    again = submitted(client, f"/v1/jobs/{urgent.json['id']}/retry?precedence=3", operator, None)
    assert again.json["precedence"] == 3
    members: Any = client.get(f"/v1/jobs?batch={batch.json['id']}", headers=operator)
    assert [job["precedence"] for job in members.json["jobs"]] == [8]


@pytest.mark.parametrize("value", ["101", "high", "1.5"])
def test_what_is_no_precedence_is_told_where_it_stands(client: FlaskClient, value: str) -> None:
    refused = submitted(client, f"/v1/jobs?precedence={value}", ADMIN)
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/precedence")


def test_a_service_without_keys_lets_its_machine_give_precedence(app_with: AppWith) -> None:
    answer = submitted(app_with().test_client(), "/v1/jobs?precedence=1", {})
    assert (answer.status_code, answer.json["precedence"]) == (202, 1)
