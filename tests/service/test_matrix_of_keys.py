"""Every route x {no key, expired, revoked, wrong scope, other project, other's job}, made from the route table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from pydantic import SecretStr
from sqlalchemy import update

from gradyard.jobs.api_keys import INCLUDED, Scope
from gradyard.store.database import Database
from gradyard.store.tables import ApiKey
from service.http.access.auth import OPEN_ENDPOINTS
from service.http.access.scopes import NEEDED
from tests.service.conftest import AppWith
from tests.service.routes_for_tests import VALUES, requests_of

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

ADMIN = {"Authorization": "Bearer s3cret-canary-key"}
MEMBER = [Scope.JOBS_READ, Scope.JOBS_WRITE, Scope.FILES_WRITE, Scope.METRICS_READ]
BODIES = {"webhooks.change_webhook": {"enabled": True}}
"""Of routes that read their body before they look for the thing."""
KeyOf = Callable[..., dict[str, str]]


@pytest.fixture
def app(app_with: AppWith) -> OpenAPI:
    return app_with(admin_key=SecretStr("s3cret-canary-key"))


@pytest.fixture
def key_of(client: FlaskClient) -> KeyOf:
    def make(name: str, project: str = "physics", scopes: list[Scope] = MEMBER, **asked: Any) -> dict[str, str]:
        body = {"name": name, "project": project, "scopes": scopes} | asked
        made = client.post("/v1/keys", json=body, headers=ADMIN).json
        return {"Authorization": f"Bearer {made['key']}"}  # type: ignore[index]

    return make


@dataclass(frozen=True)
class Route:
    """A request of the table. `names_things`: its path has the id of a thing of ada's project."""

    method: str
    path: str
    endpoint: str
    names_things: bool

    @property
    def changes_what_is_its_submitters(self) -> bool:
        """By the table: a change, a cancel or a deletion, of a job or a batch, or a retry that replaces jobs of one."""
        return (self.names_things and NEEDED[self.endpoint] is Scope.JOBS_WRITE) and (
            self.method in ("DELETE", "PATCH")
            or self.path.endswith("/cancel")
            or self.endpoint == "batches.retry_batch"
        )


@pytest.fixture
def routes(app: OpenAPI, client: FlaskClient, key_of: KeyOf, monkeypatch: pytest.MonkeyPatch) -> list[Route]:
    """Every route that needs a key, on things of the project physics: ada's job and the like, a teacher's webhook."""
    ada = key_of("ada")
    job = client.post("/v1/jobs", json={"stage": "tensor", "steps": 4}, headers=ada).json
    batch = client.post("/v1/batches", json={"jobs": [{"stage": "nn"}]}, headers=ada).json
    key = client.get("/v1/keys?project=physics", headers=ADMIN).json["keys"][0]  # type: ignore[index]
    ids = {"job_id": job["id"], "batch_id": batch["id"], "key_id": key["id"]}  # type: ignore[index]
    table = {"data": b"x,y\n1,2\n", "content_type": "text/csv"}
    ids["file_id"] = client.post("/v1/files", headers=ada, **table).json["id"]  # type: ignore[index]
    ids |= webhook_of(client, key_of("teacher-of-ada", scopes=[Scope.ADMIN]))
    assert ids.keys() == {name for rule in app.url_map.iter_rules() for name in rule.arguments if name.endswith("_id")}
    for name, value in ids.items():
        monkeypatch.setitem(VALUES, name, value)
    return [
        Route(*each, names_things=any(value in each[1] for value in ids.values()))
        for each in requests_of(app) if each[2] not in OPEN_ENDPOINTS and each[0] != "OPTIONS"
    ]  # fmt: skip


def webhook_of(client: FlaskClient, teacher: dict[str, str]) -> dict[str, str]:
    """The ids of a webhook, and of a message of it."""
    asked = {"url": "https://example.org/hook", "events": ["job.failed"]}
    webhook: Any = client.post("/v1/webhooks", json=asked, headers=teacher).json
    delivery: Any = client.post(f"/v1/webhooks/{webhook['id']}/test", headers=teacher).json
    return {"webhook_id": webhook["id"], "delivery_id": delivery["id"]}


def answered(client: FlaskClient, route: Route, headers: dict[str, str] | None, query: str = "") -> Any:
    """The answer to a request. Of a stream, which may have no end, its beginning alone."""
    has_an_end = not route.path.endswith("/events")
    answer = client.open(
        f"{route.path}?{query}", method=route.method, headers=headers, buffered=has_an_end,
        json=BODIES.get(route.endpoint),
    )  # fmt: skip
    answer.close()
    return answer


def status(client: FlaskClient, route: Route, headers: dict[str, str] | None) -> int:
    code: int = answered(client, route, headers).status_code
    return code


def test_no_key_opens_nothing(client: FlaskClient, routes: list[Route]) -> None:
    assert [route for route in routes if status(client, route, None) != 401] == []


@pytest.mark.parametrize("end", ["expires_at", "revoked_at"])
def test_a_key_that_has_ended_opens_nothing(
    client: FlaskClient, database: Database, routes: list[Route], key_of: KeyOf, end: str
) -> None:
    key = key_of("old", scopes=list(Scope))
    with database.begin() as connection:
        connection.execute(update(ApiKey).where(ApiKey.name == "old").values({end: ApiKey.created_at}))
    assert [route for route in routes if status(client, route, key) != 401] == []


def test_a_key_of_other_scopes_opens_nothing(client: FlaskClient, routes: list[Route], key_of: KeyOf) -> None:
    for scope in Scope:
        key, opens = key_of(f"of-{scope.name}", scopes=[scope]), {scope, *INCLUDED.get(scope, ())}
        wrong = [route for route in routes if NEEDED[route.endpoint] not in opens]
        assert wrong
        assert [route for route in wrong if status(client, route, key) != 403] == []


def test_the_things_of_another_project_are_not_there(client: FlaskClient, routes: list[Route], key_of: KeyOf) -> None:
    for scopes in ([Scope.ADMIN, *MEMBER], [*MEMBER, Scope.OPERATOR]):  # each of them not the other's
        key = key_of(f"eve-{scopes[0].name}", "biology", scopes)
        named = [route for route in routes if route.names_things]
        named = [route for route in named if Scope.OPERATOR not in scopes or NEEDED[route.endpoint] is not Scope.ADMIN]
        assert len(named) > 20
        assert [route for route in named if status(client, route, key) != 404] == []


def test_a_member_changes_nothing_of_others_and_sees_all(
    client: FlaskClient, routes: list[Route], key_of: KeyOf
) -> None:
    key = key_of("bob")
    changes = [route for route in routes if route.changes_what_is_its_submitters]
    assert {route.endpoint for route in changes} == {
        "jobs.change_job", "jobs.cancel_job", "jobs.delete_job", "batches.cancel_batch", "batches.delete_batch",
        "batches.retry_batch",
    }  # fmt: skip
    assert [route for route in changes if status(client, route, key) != 403] == []
    others = [each for each in routes if each.names_things and NEEDED[each.endpoint] in MEMBER and each not in changes]
    assert len(others) > 15
    assert [route for route in others if status(client, route, key) in (401, 403, 500)] == []


def test_an_administrator_of_the_project_does_all_to_the_things_of_others(
    client: FlaskClient, routes: list[Route], key_of: KeyOf
) -> None:
    key = key_of("teacher", scopes=[Scope.ADMIN, Scope.METRICS_READ])  # a successor opens what its holder may
    named = [route for route in routes if route.names_things]
    assert [route for route in named if status(client, route, key) in (401, 403, 500)] == []


def test_an_operator_sees_the_things_of_the_project_that_it_names(
    client: FlaskClient, routes: list[Route], key_of: KeyOf
) -> None:
    key = key_of("ops", "default", [Scope.OPERATOR])
    seen = [route for route in routes if route.names_things and NEEDED[route.endpoint] is Scope.JOBS_READ]
    assert len(seen) > 15
    for route in seen:
        answer = answered(client, route, key, "project=physics")
        assert answer.status_code not in (401, 403, 500), route
        assert answer.status_code != 404 or "artifact" in answer.text or "metric" in answer.text or (
            route.method == "HEAD"
        ), route  # fmt: skip
