"""Pages x scopes of keys: a page opens, or says which scope it takes; links lead to pages that open."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from pydantic import SecretStr

from gradyard.jobs.api_keys import INCLUDED, Scope
from tests.service.conftest import AppWith

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

ADMIN = {"Authorization": "Bearer s3cret-canary-key"}
PAGES = {
    "/workers": Scope.JOBS_READ, "/storage": Scope.JOBS_READ, "/keys": Scope.ADMIN, "/webhooks": Scope.ADMIN,
    "/projects": Scope.OPERATOR, "/audit": Scope.OPERATOR,
}  # fmt: skip


@pytest.fixture
def app(app_with: AppWith) -> OpenAPI:
    return app_with(admin_key=SecretStr("s3cret-canary-key"))


@pytest.mark.parametrize("scope", list(Scope))
def test_a_page_opens_to_its_scope_and_others_are_told_which_it_takes(client: FlaskClient, scope: Scope) -> None:
    body = {"name": "one", "project": "physics", "scopes": [scope]}
    made: Any = client.post("/v1/keys", json=body, headers=ADMIN).json
    as_it = {"Authorization": f"Bearer {made['key']}", "Accept": "text/html"}
    opens = {scope, *INCLUDED.get(scope, ())}
    for path, needed in PAGES.items():
        response = client.get(path, headers=as_it)
        assert (response.status_code, response.mimetype) == (200 if needed in opens else 403, "text/html"), path
        if needed not in opens:
            assert f"this is for keys with the scope {needed}" in response.text
        linked = set(re.findall(r'<li><a href="(/[a-z]+)"', response.text)) & PAGES.keys() - {"/workers"}
        assert linked == {each for each, wanted in PAGES.items() if wanted in opens and each != "/workers"}


def test_no_page_opens_without_a_key(client: FlaskClient) -> None:
    for path in PAGES:
        assert client.get(path, headers={"Accept": "text/html"}).status_code == 401
