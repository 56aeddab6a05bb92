"""What projects store over HTTP: figures, rules, and the quota."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from gradyard.jobs.settings import Settings
from gradyard.jobs.storage import STORED, RetentionRule
from gradyard.store.database import Database
from gradyard.store.retention import totals
from gradyard.store.tables import ProjectStorage
from tests.service.conftest import AppWith
from tests.service.test_operators_and_members import ADMIN, JOB, KeyOf, app, asked, audit_of, key_of, refused
from tests.store.retention.projects_for_tests import ended_jobs, left, measured, pin, run

__all__ = ["app", "key_of"]  # the fixtures


def added_up(database: Database) -> None:
    measured(database)
    with database.read() as connection:
        projects = totals.measured_to(connection)
    totals.add_up(database, projects)


def storage(client: FlaskClient, headers: dict[str, str] = ADMIN, query: str = "") -> Any:
    return asked(client, "GET", f"/v1/storage{query}", headers)


def test_what_a_project_stores_is_told_by_kind(client: FlaskClient, database: Database, settings: Settings) -> None:
    (before,) = storage(client)["projects"]
    assert (before["project"], before["bytes"], before["measured_at"]) == ("default", 0, None)
    ended_jobs(database, settings, [3, 1])
    added_up(database)
    told = storage(client)
    (project,) = told["projects"]
    kinds = {each["kind"]: (each["bytes"], each["rows"]) for each in project["kinds"]}
    assert list(kinds) == list(STORED)
    assert kinds["losses"] == (2 * 4 * 4, 2)
    assert kinds["specs"][1] == 2
    assert project["bytes"] == sum(size for size, _ in kinds.values())
    assert project["measured_at"]
    assert told["database_bytes"] > project["bytes"]
    assert project["retention"] == {
        "days": None, "jobs": None, "bytes": None, "set_for": "service", "set_at": None, "set_by": None, "due": None,
    }  # fmt: skip


def test_a_project_sees_its_own_and_an_operator_all(client: FlaskClient, key_of: KeyOf) -> None:
    ada, ops = key_of("ada", "physics", "jobs:read"), key_of("ops", "default", "operator")
    assert [each["project"] for each in storage(client, ada)["projects"]] == ["physics"]
    assert storage(client, ada)["database_bytes"] is None
    assert [each["project"] for each in storage(client, ops)["projects"]] == ["default", "physics"]
    assert [each["project"] for each in storage(client, ops, "?project=physics")["projects"]] == ["physics"]


def test_an_administrator_of_a_project_sets_its_rule_and_it_is_audited(client: FlaskClient, key_of: KeyOf) -> None:
    teacher, ada = key_of("teacher", "physics", "admin"), key_of("ada", "physics", "jobs:read", "jobs:write")
    rule = asked(client, "PUT", "/v1/storage/retention", teacher, {"days": 90, "jobs": 1000})
    assert (rule["days"], rule["jobs"], rule["bytes"], rule["due"]) == (90, 1000, None, 0)
    assert (rule["set_for"], rule["set_by"]) == ("project", "api:teacher@physics")
    assert asked(client, "GET", "/v1/storage/retention", ada) == rule
    assert storage(client, ada)["projects"][0]["retention"] == rule | {"due": None}
    assert refused(client, "PUT", "/v1/storage/retention", ada, {"days": 1})[0] == 403
    assert refused(client, "PUT", "/v1/storage/retention?project=default", teacher, {"days": 1})[0] == 403
    asked(client, "PUT", "/v1/storage/retention?project=physics", ADMIN, {"bytes": 10**10})
    assert asked(client, "GET", "/v1/storage/retention", ada)["bytes"] == 10**10
    assert asked(client, "DELETE", "/v1/storage/retention", teacher)["set_for"] == "service"
    asked(client, "DELETE", "/v1/storage/retention", teacher)
    assert audit_of(client, "?action=retention_set&project=physics") == [
        ("retention_set", "api:teacher@physics", "physics"), ("retention_set", "api", "physics"),
        ("retention_set", "api:teacher@physics", "physics"),
    ]  # fmt: skip


def test_the_service_has_a_rule_for_projects_without_one(app_with: AppWith) -> None:
    client = app_with(retention_days=30.0, max_stored_bytes=10**9).test_client()
    (project,) = storage(client, {})["projects"]
    assert (project["retention"]["days"], project["retention"]["set_for"]) == (30, "service")
    assert project["max_bytes"] == 10**9
    assert asked(client, "PUT", "/v1/storage/retention", {}, {})["days"] is None  # keeps all, whatever the service says


def test_a_preview_tells_how_many_jobs_would_go_and_sets_nothing(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    ids = ended_jobs(database, settings, [9, 7, 5, 3])
    pin(database, ids[0])
    added_up(database)
    (project,) = storage(client)["projects"]
    for rule, due in (
        ({"days": 4}, 2), ({"jobs": 1}, 2), ({"jobs": 9}, 0), ({"bytes": 1}, 3), ({"days": 6, "jobs": 1}, 2),
        ({"bytes": project["bytes"]}, 0), ({}, 0),
    ):  # fmt: skip
        told = asked(client, "PUT", "/v1/storage/retention?preview=true", ADMIN, rule)
        assert (told["due"], told["set_by"]) == (due, None), rule
    assert asked(client, "GET", "/v1/storage/retention", ADMIN)["set_for"] == "service"
    assert asked(client, "PUT", "/v1/storage/retention", ADMIN, {"days": 4})["due"] == 2
    assert left(database) == ids
    assert run(database, RetentionRule(days=4)).jobs == 2


@pytest.mark.parametrize(
    ("rule", "pointer"),
    [({"days": 0}, "/days"), ({"days": -1}, "/days"), ({"jobs": 0}, "/jobs"), ({"jobs": 1.5}, "/jobs"),
     ({"bytes": "10GB"}, "/bytes"), ({"byte": 1}, "/byte"), ({"bytes": 2**63}, "/bytes")],
)  # fmt: skip
def test_a_wrong_rule_is_refused_with_its_place(client: FlaskClient, rule: dict[str, Any], pointer: str) -> None:
    response = client.put("/v1/storage/retention", json=rule, headers=ADMIN)
    assert response.status_code == 422
    assert response.json is not None
    assert [each["pointer"] for each in response.json["errors"]] == [pointer]


def test_over_its_quota_a_project_gets_no_new_jobs_and_running_ones_go_on(
    app_with: AppWith, database: Database, settings: Settings
) -> None:
    client = app_with(max_stored_bytes=1000).test_client()
    first = client.post("/v1/jobs", json=JOB, headers={"Idempotency-Key": "k"}).json
    (ended,) = ended_jobs(database, settings, [1])
    assert client.post("/v1/jobs", json=JOB).status_code == 202  # nothing is added up yet
    added_up(database)
    with database.begin() as connection:
        connection.execute(update(ProjectStorage).values(losses_bytes=1001))
    batch = asked(client, "GET", "/v1/batches", {})["batches"]
    assert batch == []
    for path, body in (("jobs", JOB), ("batches", {"jobs": [JOB]}), (f"jobs/{ended}/retry", None)):
        refusal = client.post(f"/v1/{path}", json=body)
        assert refusal.status_code == 403, path
        assert refusal.json is not None
        assert refusal.json["type"] == "storage_quota_exceeded"
        assert "may store 1,000" in refusal.json["detail"]
        assert "gradyard storage retention" in refusal.json["detail"]
    again = client.post("/v1/jobs", json=JOB, headers={"Idempotency-Key": "k"})
    assert again.status_code == 202
    assert again.json is not None
    assert first is not None
    assert again.json["id"] == first["id"]
    with database.begin() as connection:
        connection.execute(update(ProjectStorage).values(losses_bytes=0, specs_bytes=0, events_bytes=0))
    assert client.post("/v1/jobs", json=JOB).status_code == 202


def test_what_the_service_would_let_go_is_previewed(app_with: AppWith, database: Database, settings: Settings) -> None:
    client, path = app_with(retention_days=4.0).test_client(), "/v1/storage/retention"
    ended_jobs(database, settings, [9, 7, 3])
    asked(client, "PUT", path, {}, {"bytes": 10**9})
    assert asked(client, "GET", path, {})["due"] is None  # nothing is measured yet
    told = asked(client, "DELETE", f"{path}?preview=true", {})
    assert (told["days"], told["set_for"], told["due"]) == (4, "service", 2)
    assert asked(client, "GET", path, {})["bytes"] == 10**9
    assert asked(client, "DELETE", path, {})["due"] == 2
