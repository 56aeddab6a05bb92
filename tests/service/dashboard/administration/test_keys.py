"""Keys: a list of those that the caller may see, and a form that offers what it may give away."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from pydantic import SecretStr

from gradyard.jobs.api_keys import Scope
from tests.service.conftest import AppWith
from tests.service.test_api_keys import ADMIN, KeyOf, key_of  # noqa: F401 - a fixture

AS_BROWSER = {"Accept": "text/html"}
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def app(app_with: AppWith) -> OpenAPI:
    return app_with(admin_key=SecretStr("s3cret-canary-key"))


def keys_seen(client: FlaskClient, headers: dict[str, str], query: str = "") -> str:
    response = client.get(f"/keys{query}", headers=headers | AS_BROWSER)
    assert response.status_code == 200, response.text
    return response.text


def scopes_offered(page: str) -> list[str]:
    return re.findall(r'name="scopes" value="([^"]*)"', page)


def test_keys_are_listed_without_their_secrets(client: FlaskClient, key_of: KeyOf) -> None:  # noqa: F811
    secret = key_of("physics", "ada")["Authorization"].removeprefix("Bearer ")
    page = keys_seen(client, ADMIN)
    assert "ada" in page
    assert f"{secret[:15]}…" in page
    assert secret not in page
    assert "by the administrator" in page


def test_a_revoked_key_has_no_buttons_and_says_when(client: FlaskClient, key_of: KeyOf) -> None:  # noqa: F811
    key_of("physics", "ada")
    made: Any = client.get("/v1/keys", headers=ADMIN).json
    key_id = made["keys"][0]["id"]
    assert f'data-path="keys/{key_id}"' in keys_seen(client, ADMIN)
    client.delete(f"/v1/keys/{key_id}", headers=ADMIN)
    page = keys_seen(client, ADMIN)
    assert f'data-path="keys/{key_id}"' not in page
    assert "revoked" in page


@on_sqlite
def test_an_administrator_of_a_project_sees_its_own_keys_and_gives_away_no_more_than_it_has(
    client: FlaskClient,
    key_of: KeyOf,  # noqa: F811
) -> None:
    key_of("biology", "darwin")
    page = keys_seen(client, key_of("physics", "head", scopes=[Scope.ADMIN]))
    assert "of project physics" in page
    assert "darwin" not in page
    assert scopes_offered(page) == ["jobs:read", "jobs:write", "files:write", "admin"]
    assert 'name="project" value="physics" autocomplete' not in page, "it makes keys of its own project alone"


@on_sqlite
def test_the_administrator_sees_all_projects_or_the_one_that_is_named(
    client: FlaskClient,
    key_of: KeyOf,  # noqa: F811
) -> None:
    key_of("biology", "darwin")
    key_of("physics", "ada")
    everything = keys_seen(client, ADMIN)
    assert "of all projects" in everything
    assert scopes_offered(everything) == [
        "jobs:read", "jobs:write", "files:write", "metrics:read", "admin", "operator",
    ]  # fmt: skip
    of_one = keys_seen(client, ADMIN, "?project=physics")
    assert "darwin" not in of_one
    assert "ada" in of_one


@on_sqlite
def test_a_wrong_cursor_is_refused_in_words(client: FlaskClient) -> None:
    response = client.get("/keys?cursor=x", headers=ADMIN | AS_BROWSER)
    assert response.status_code == 422
    assert "<code>/cursor</code>" in response.text
