"""Who may ask what; the matrix is made from the route table, so a new route without a rule fails."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from pydantic import SecretStr

from gradyard.jobs.errors import SettingsInvalid
from gradyard.jobs.settings import Settings
from service.app import create_app
from tests.service.conftest import AppWith
from tests.service.routes_for_tests import requests_of

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

KEY = "s3cret-canary-key"
OPEN = {"/healthz", "/readyz", "/openapi.json", "/docs", "/docs/start.js", "/docs/parts/css/swagger-ui.css",
        "/sign-in", "/page/x/page.css"}  # fmt: skip
OF_ANY_HOST = OPEN - {"/readyz"}
FOREIGN_HOSTS = ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "[::2]"]


@pytest.fixture
def guarded(app_with: AppWith) -> OpenAPI:
    return app_with(admin_key=SecretStr(KEY))


def status(client: FlaskClient, method: str, path: str, **options: Any) -> int:
    return client.open(path, method=method, buffered=True, **options).status_code


def test_every_route_but_health_and_documentation_needs_the_key(guarded: OpenAPI) -> None:
    client = guarded.test_client()
    for method, path, endpoint in [*requests_of(guarded), ("GET", "/", "-"), ("POST", "/nowhere", "-")]:
        refused = status(client, method, path) == 401
        assert refused is (path not in OPEN), f"{method} {path} ({endpoint})"


def test_with_the_key_every_route_answers(guarded: OpenAPI) -> None:
    client = guarded.test_client()
    for method, path, endpoint in requests_of(guarded):
        answered = status(client, method, path, headers={"Authorization": f"Bearer {KEY}"})
        assert answered not in (401, 403, 405, 500), f"{method} {path} ({endpoint})"


@pytest.mark.parametrize(
    ("authorization", "error"),
    [
        (None, None), ("", None), (KEY, None), (f"Basic {KEY}", None), ("Bearer", "invalid_token"),
        ("Bearer wrong", "invalid_token"), (f"Bearer {KEY}x", "invalid_token"), (f"Bearer {KEY[:-1]}", "invalid_token"),
        ("Bearer \u00e9", "invalid_token"),
    ],
)  # fmt: skip
def test_a_refusal_says_how_to_ask(guarded: OpenAPI, authorization: str | None, error: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    response = guarded.test_client().get("/v1/jobs", headers=headers)
    wanted = response.headers["WWW-Authenticate"]
    assert (response.status_code, response.content_type) == (401, "application/problem+json")
    assert wanted.startswith("Bearer ")
    assert (error or "realm") in wanted
    assert KEY not in response.text


def test_the_scheme_may_be_written_in_any_case(guarded: OpenAPI) -> None:
    assert guarded.test_client().get("/v1/jobs", headers={"Authorization": f"bearer {KEY}"}).status_code == 200


def test_with_a_key_any_name_and_origin_may_ask(guarded: OpenAPI) -> None:
    headers = {"Authorization": f"Bearer {KEY}", "Host": "gradyard.example", "Origin": "https://pages.example"}
    assert guarded.test_client().post("/v1/jobs", data=b'{"stage": "nn"}', headers=headers).status_code == 415


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8000", "localhost:1", "LOCALHOST", "[::1]", "[::1]:8000"])
def test_without_a_key_loopback_names_may_ask(client: FlaskClient, host: str) -> None:
    assert client.get("/v1/jobs", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_without_a_key_only_liveness_and_documentation_answer_to_another_name(app: OpenAPI, host: str) -> None:
    client = app.test_client()
    for method, path, endpoint in requests_of(app):
        environ = {"HTTP_HOST": host}
        refused = status(client, method, path, environ_overrides=environ) == 403
        assert refused is (path not in OF_ANY_HOST), f"{method} {path} ({endpoint})"


def test_without_a_key_no_other_machine_may_ask(client: FlaskClient) -> None:
    for address, expected in (("127.0.0.1", 200), ("::1", 200), ("", 200), ("10.1.2.3", 403), ("2001:db8::1", 403)):
        assert status(client, "GET", "/v1/jobs", environ_overrides={"REMOTE_ADDR": address}) == expected


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://localhost:8000", True), ("http://localhost", False), ("http://localhost:8001", False),
        ("https://localhost:8000", False), ("http://evil.example", False), ("null", False), ("", False),
    ],
)  # fmt: skip
def test_without_a_key_foreign_pages_may_not_change_anything(client: FlaskClient, origin: str, allowed: bool) -> None:
    headers = {"Host": "localhost:8000", "Origin": origin}
    response = client.post("/v1/jobs", json={"stage": "nn"}, headers=headers)
    assert response.status_code == (202 if allowed else 403)
    assert client.get("/v1/jobs", headers=headers).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "10.0.0.1", "gradyard.example"])
def test_without_a_key_it_does_not_start_where_others_could_ask(
    settings: Settings, app_with: AppWith, host: str
) -> None:
    for no_key in (None, SecretStr("")):
        with pytest.raises(SettingsInvalid, match="GRADYARD_ADMIN_KEY"):
            create_app(settings.model_copy(update={"host": host, "admin_key": no_key}))
    assert app_with(host=host, admin_key=SecretStr(KEY))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "localhost"])
def test_without_a_key_it_starts_on_loopback(app_with: AppWith, host: str) -> None:
    assert app_with(host=host)


def test_the_log_has_a_line_for_each_request_and_no_secret(
    capfd: pytest.CaptureFixture[str], app_with: AppWith
) -> None:
    client = app_with(admin_key=SecretStr(KEY)).test_client()
    body = {"stage": "nn", "name": "canary-body"}
    response = client.post("/v1/jobs", json=body, headers={"Authorization": f"Bearer {KEY}"})
    client.get("/v1/jobs?cursor=canary-query", headers={"Authorization": "Bearer canary-guess"})
    log = capfd.readouterr().err
    assert "canary" not in log
    assert f'"id": "{response.headers["X-Request-Id"]}", "method": "POST", "path": "/v1/jobs", "status": 202' in log
    assert '"method": "GET", "path": "/v1/jobs", "status": 401' in log
