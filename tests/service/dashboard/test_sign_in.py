"""A key signs a browser in; its session ends with the key, by a sign-out, and after a time without use."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from pydantic import SecretStr
from sqlalchemy import func, select, update

from gradyard.jobs.api_keys import Scope, digest_of
from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from gradyard.store.page_sessions import MOST_OF_A_KEY
from gradyard.store.tables import ApiKey, Job, PageSession
from service.app import create_app
from service.http.access import callers
from service.http.services import Services
from tests.actors import clock_moves, submitted
from tests.service.conftest import AppWith
from tests.service.live.told import next_of, stream

KEY = "s3cret-canary-key"
ADMIN = {"Authorization": f"Bearer {KEY}"}
AS_BROWSER = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
KeyOf = Callable[..., str]

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def app(app_with: AppWith, monkeypatch: pytest.MonkeyPatch) -> OpenAPI:
    monkeypatch.setattr("service.http.page_sessions.known.FRESH_SECONDS", 0.0)
    monkeypatch.setattr(callers, "FRESH_SECONDS", 0.0)
    return app_with(admin_key=SecretStr(KEY))


@pytest.fixture
def key_of(app: OpenAPI) -> KeyOf:
    """Makes keys, without the cookies of the test's browser."""
    client = app.test_client()

    def make(name: str, project: str = "physics", scopes: tuple[Scope, ...] = (Scope.JOBS_READ,)) -> str:
        body = {"name": name, "project": project, "scopes": list(scopes)}
        made: Any = client.post("/v1/keys", json=body, headers=ADMIN).json
        return str(made["key"])

    return make


def sign_in(client: FlaskClient, key: str, **more: Any) -> Any:
    return client.post("/sign-in", data={"key": key} | more, headers=AS_BROWSER)


def cookie_of(response: Any) -> str:
    return str(response.headers["Set-Cookie"])


def test_without_a_key_a_page_asks_for_one_and_leads_back(client: FlaskClient) -> None:
    response = client.get("/jobs?state=failed", headers=AS_BROWSER)
    assert response.status_code == 401
    assert 'name="next" value="/jobs?state=failed"' in response.text
    signed_in = sign_in(client, KEY, next="/jobs?state=failed")
    assert (signed_in.status_code, signed_in.headers["Location"]) == (303, "/jobs?state=failed")
    assert client.get("/jobs", headers=AS_BROWSER).status_code == 200


def test_a_key_that_is_not_valid_opens_nothing_and_is_not_shown(client: FlaskClient) -> None:
    for key in ("wrong-canary", "gradyard_wrong-canary", "é"):
        response = sign_in(client, key)
        assert response.status_code == 401
        assert "The key is not valid" in response.text
        assert "wrong-canary" not in response.text
        assert "Set-Cookie" not in response.headers


@on_sqlite
def test_a_form_without_a_key_asks_again(client: FlaskClient) -> None:
    response = sign_in(client, " ")
    assert response.status_code == 422
    assert "Enter a key" in response.text


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(client: FlaskClient) -> None:
    words = set(cookie_of(sign_in(client, KEY)).split("; "))
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= words
    assert "Secure" not in words
    safe = client.post(
        "/sign-in", data={"key": KEY}, headers=AS_BROWSER, environ_overrides={"wsgi.url_scheme": "https"}
    )  # fmt: skip
    assert "Secure" in cookie_of(safe).split("; ")


def test_the_database_has_neither_the_token_nor_the_key(client: FlaskClient, database: Database) -> None:
    token = cookie_of(sign_in(client, KEY)).partition("=")[2].partition(";")[0]
    with database.read() as connection:
        row = connection.execute(select(*PageSession.__table__.columns)).one()
    assert row.sha256 == digest_of(token)
    assert row.key_id is None
    assert token not in str(row)
    assert KEY not in str(row)
    assert row.admin_check != digest_of(KEY), "a short key could be guessed from that"


@pytest.mark.parametrize("end", ["expires_at", "revoked_at"])
def test_a_session_ends_with_its_key(client: FlaskClient, database: Database, key_of: KeyOf, end: str) -> None:
    sign_in(client, key_of("ada"))
    assert client.get("/", headers=AS_BROWSER).status_code == 200
    with database.begin() as connection:
        connection.execute(update(ApiKey).values({end: ApiKey.created_at}))
    assert client.get("/", headers=AS_BROWSER).status_code == 401
    assert client.get("/v1/jobs", headers=AS_BROWSER).status_code == 401


@on_sqlite
def test_another_administrators_key_ends_the_session_of_the_old_one(client: FlaskClient, settings: Settings) -> None:
    sign_in(client, KEY)
    other = create_app(settings.model_copy(update={"admin_key": SecretStr("another-key")}))
    cookie = client.get_cookie("gradyard_session")
    assert cookie is not None
    second = other.test_client()
    second.set_cookie("gradyard_session", cookie.value)
    assert second.get("/", headers=AS_BROWSER).status_code == 401
    services = other.extensions["gradyard"]
    assert isinstance(services, Services)
    services.close()


def test_a_session_ends_after_a_time_without_use(client: FlaskClient, database: Database, settings: Settings) -> None:
    sign_in(client, KEY)
    hour = 3600.0
    for idle, status in ((settings.page_idle_hours - 1, 200), (settings.page_idle_hours + 1, 401)):
        with database.begin() as connection:
            connection.execute(update(PageSession).values(used_at=PageSession.created_at - idle * hour))
        assert client.get("/", headers=AS_BROWSER).status_code == status
    sign_in(client, KEY)
    with database.read() as connection:
        assert len(connection.execute(select(PageSession.sha256)).all()) == 1, "the old one is forgotten"


def test_use_is_noted_so_that_a_session_in_use_goes_on(client: FlaskClient, database: Database) -> None:
    sign_in(client, KEY)
    with database.begin() as connection:
        connection.execute(update(PageSession).values(used_at=PageSession.used_at - 7200))
    client.get("/", headers=AS_BROWSER)
    with database.read() as connection:
        used, created = connection.execute(select(PageSession.used_at, PageSession.created_at)).one()
    assert used >= created


def test_a_sign_out_ends_the_session_for_all_who_have_its_cookie(app: OpenAPI, client: FlaskClient) -> None:
    sign_in(client, KEY)
    cookie = client.get_cookie("gradyard_session")
    assert cookie is not None
    page = client.get("/", headers=AS_BROWSER).text
    (token,) = re.findall(r'name="token" value="([^"]+)"', page)
    response = client.post("/sign-out", data={"token": token}, headers=AS_BROWSER)
    assert (response.status_code, response.headers["Location"]) == (303, "/sign-in")
    assert client.get_cookie("gradyard_session") is None
    thief = app.test_client()
    thief.set_cookie("gradyard_session", cookie.value)
    assert thief.get("/v1/jobs", headers=AS_BROWSER).status_code == 401


@pytest.mark.parametrize("whose", ["the administrator", "ada"])
def test_a_stream_of_events_ends_with_its_session(client: FlaskClient, key_of: KeyOf, whose: str) -> None:
    sign_in(client, KEY if whose == "the administrator" else key_of(whose))
    signed_out = client.application.test_client()
    cookie = client.get_cookie("gradyard_session")
    assert cookie is not None
    signed_out.set_cookie("gradyard_session", cookie.value)
    with stream(client, "/v1/events", **{"Sec-Fetch-Site": "same-origin"}) as told:
        assert next(told).name == "project"
        page = signed_out.get("/", headers=AS_BROWSER).text
        (token,) = re.findall(r'name="token" value="([^"]+)"', page)
        assert signed_out.post("/sign-out", data={"token": token}, headers=AS_BROWSER).status_code == 303
        problem = next_of(told, "problem").data
        assert list(told) == []
    assert (problem["status"], "session" in problem["detail"]) == (401, True)


def test_a_long_request_does_not_outlive_its_session(client: FlaskClient) -> None:
    sign_in(client, KEY)
    sessions = client.application.extensions["gradyard"].sessions
    cookie = client.get_cookie("gradyard_session")
    assert cookie is not None
    caller = sessions.caller_of(cookie.value)
    assert sessions.still_opens(caller)
    sessions.sign_out(cookie.value)
    assert not sessions.still_opens(caller)


def test_a_key_has_so_many_sessions_and_the_oldest_gives_way(app: OpenAPI, key_of: KeyOf, database: Database) -> None:
    ada, browsers = key_of("ada"), [app.test_client() for _ in range(MOST_OF_A_KEY + 2)]
    for browser in browsers:
        assert sign_in(browser, ada).status_code == 303
        clock_moves(database)
    with database.read() as connection:
        assert len(connection.execute(select(PageSession.sha256)).all()) == MOST_OF_A_KEY
    assert [browsers[at].get("/", headers=AS_BROWSER).status_code for at in (0, -1)] == [401, 200]


@on_sqlite
def test_a_sign_in_counts_as_a_request_of_its_key(app_with: AppWith) -> None:
    client = app_with(admin_key=SecretStr(KEY), max_key_requests=3).test_client()
    assert [sign_in(client, KEY).status_code for _ in range(4)] == [303, 303, 303, 429]
    assert client.get("/v1/jobs", headers=ADMIN).status_code == 429


def test_a_sign_out_needs_the_form_of_the_session(client: FlaskClient) -> None:
    sign_in(client, KEY)
    for data in ({}, {"token": "x"}):
        assert client.post("/sign-out", data=data, headers=AS_BROWSER).status_code == 403
    assert client.get("/", headers=AS_BROWSER).status_code == 200


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True), ({"Origin": "http://localhost"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False), ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False), ({"Origin": "http://localhost:1"}, False), ({}, False),
        ({"Origin": "null"}, False), ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, False),
    ],
)  # fmt: skip
@on_sqlite
def test_only_the_page_itself_changes_something_by_its_session(
    client: FlaskClient, database: Database, settings: Settings, headers: dict[str, str], allowed: bool
) -> None:
    sign_in(client, KEY)
    job_id = submitted(database, settings)
    for path in ("/v1/jobs", f"/v1/jobs/{job_id}/cancel"):
        body = {"json": {"stage": "nn"}} if path == "/v1/jobs" else {}
        assert (client.post(path, headers=headers, **body).status_code != 403) is allowed
    assert (client.post("/sign-in", data={"key": KEY}, headers=headers).status_code != 403) is allowed


@on_sqlite
def test_another_site_reads_nothing_but_may_link_to_a_page(client: FlaskClient) -> None:
    sign_in(client, KEY)
    for site, status in (("cross-site", 403), ("same-site", 403), ("none", 200), ("same-origin", 200)):
        headers = {"Sec-Fetch-Site": site, "Accept": "text/html"}
        assert client.get("/v1/jobs", headers=headers).status_code == status
        assert client.get("/jobs", headers=headers).status_code == 200


@on_sqlite
def test_a_program_with_a_key_and_a_cookie_is_the_keys(client: FlaskClient, key_of: KeyOf) -> None:
    sign_in(client, KEY)
    ada = {"Authorization": f"Bearer {key_of('ada')}"}
    assert client.post("/v1/jobs", json={"stage": "nn"}, headers=ada | AS_BROWSER).status_code == 403


@on_sqlite
def test_behind_a_proxy_with_a_password_of_its_own_a_browser_stays_signed_in(client: FlaskClient) -> None:
    basic = AS_BROWSER | {"Authorization": "Basic YWRhOnNlY3JldA=="}
    assert client.post("/sign-in", data={"key": KEY}, headers=basic).status_code == 303
    assert client.get("/", headers=basic).status_code == 200
    assert client.get("/v1/jobs", headers=basic).status_code == 200


@on_sqlite
@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil", "/sign-in", "/v1/jobs", "/\n/evil", "x"],
)
def test_a_sign_in_leads_to_pages_of_this_service_alone(client: FlaskClient, elsewhere: str) -> None:
    response = sign_in(client, KEY, next=elsewhere)
    assert (response.status_code, response.headers["Location"]) == (303, "/")


@on_sqlite
def test_a_key_sees_its_project_and_may_do_what_its_scopes_say(
    client: FlaskClient, key_of: KeyOf, database: Database, settings: Settings
) -> None:
    job_id = submitted(database, settings, name="not of physics")
    sign_in(client, key_of("ada"))
    page = client.get("/jobs", headers=AS_BROWSER).text
    assert "There are no jobs yet" in page
    assert "data-do=" in page
    assert 'data-do="cancel"' not in page
    assert "ada@physics" in page
    assert client.get(f"/jobs/{job_id}", headers=AS_BROWSER).status_code == 404
    assert client.get("/jobs?project=default", headers=AS_BROWSER).status_code == 403


@on_sqlite
def test_an_operator_looks_at_every_project_and_its_links_stay_there(client: FlaskClient, key_of: KeyOf) -> None:
    key_of("ada")  # which makes the project
    sign_in(client, KEY)
    page = client.get("/jobs?project=physics", headers=AS_BROWSER).text
    assert 'value="physics"' in page
    assert 'href="/?project=physics"' in page
    assert client.get("/jobs?project=nowhere", headers=AS_BROWSER).status_code == 404


@on_sqlite
def test_a_key_that_may_not_look_is_told_so(client: FlaskClient, key_of: KeyOf) -> None:
    sign_in(client, key_of("scraper", scopes=(Scope.METRICS_READ,)))
    response = client.get("/", headers=AS_BROWSER)
    assert response.status_code == 403
    assert "this is for keys with the scope jobs:read" in response.text
    assert "Sign out" in response.text


@on_sqlite
def test_a_service_without_keys_asks_for_none(app_with: AppWith) -> None:
    client = app_with().test_client()
    assert client.get("/", headers=AS_BROWSER).status_code == 200
    assert client.get("/sign-in?next=/jobs", headers=AS_BROWSER).headers["Location"] == "/jobs"
    assert "Sign out" not in client.get("/", headers=AS_BROWSER).text


@on_sqlite
def test_services_of_one_host_have_cookies_of_their_own(client: FlaskClient) -> None:
    headers = AS_BROWSER | {"Host": "localhost:8123"}
    assert cookie_of(client.post("/sign-in", data={"key": KEY}, headers=headers)).startswith("gradyard_session_8123=")


def test_a_submission_without_scripts_needs_the_form_of_the_session(client: FlaskClient, database: Database) -> None:
    sign_in(client, KEY)
    page = client.get("/submit", headers=AS_BROWSER).text
    found = re.search(r'name="token" value="([0-9a-f]+)"[^>]*>\s*<label class="form-label" for="spec"', page)
    assert found
    sent = [
        client.post("/submit", data={"spec": '{"stage": "nn"}'} | token, headers=AS_BROWSER).status_code
        for token in ({}, {"token": "0" * 64}, {"token": found[1]})
    ]
    assert sent == [403, 403, 303]
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(Job)).scalar_one() == 1
