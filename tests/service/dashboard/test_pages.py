"""Every page: its headers, its parts, problems as people read them."""

import gzip
import re
from urllib.parse import urljoin

import httpx
import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from pydantic import SecretStr

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from tests.actors import claimed, submitted, succeeds, worker_of
from tests.service.conftest import AppWith
from tests.service.dashboard.conftest import Look
from tests.service.reverse_proxy import PrefixProxy, served

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

AS_BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PATHS = ("/", "/jobs", "/jobs?where=loss_min+%3C+9", "/jobs?where=oops", "/nowhere", "/jobs/nothing")


@pytest.fixture
def paths(database: Database, settings: Settings) -> list[str]:
    """The pages of a service with a job that succeeded."""
    job_id = submitted(database, settings)
    succeeds(database, claimed(database, worker_of(database)))
    return [*PATHS, f"/jobs/{job_id}"]


def test_no_page_has_a_script_or_a_style_within_it_and_its_policy_says_so(
    client: FlaskClient, paths: list[str]
) -> None:
    for path in paths:
        response = client.get(path, headers=AS_BROWSER)
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "style-src 'self';" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert re.findall(r"<script(?![^>]* src=)[^>]*>|<style|\sstyle=|\son[a-z]+=|javascript:", response.text) == []
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cache-Control"] == "no-store"


def test_every_address_in_a_page_is_of_this_service(client: FlaskClient, paths: list[str]) -> None:
    for path in paths:
        text = client.get(path, headers=AS_BROWSER).text
        addresses = re.findall(r'\s(?:src|href|action)="([^"]*)"', text)
        assert addresses
        assert [each for each in addresses if not re.fullmatch(r"(/(?!/)[^\s]*|#main|)", each)] == []


def test_every_part_of_a_page_is_there_and_kept_for_good(client: FlaskClient, paths: list[str]) -> None:
    text = client.get("/", headers=AS_BROWSER).text
    for address in re.findall(r'(?:src|href)="(/page/[^"]*)"', text):
        response = client.get(address, headers={"Accept-Encoding": "gzip"})
        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert response.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(response.data) == client.get(address).data


def test_an_address_of_another_version_is_answered_and_not_kept(client: FlaskClient) -> None:
    response = client.get("/page/older/page.css")
    assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-cache")
    assert client.get("/page/older/nothing.css").status_code == 404


def test_a_page_and_its_parts_are_small_and_few(client: FlaskClient, paths: list[str]) -> None:
    compressed = {"Accept-Encoding": "gzip"} | AS_BROWSER
    for path in paths:
        page = client.get(path, headers=compressed).data
        addresses = set(re.findall(r'(?:src|href)="(/page/[^"]*)"', gzip.decompress(page).decode()))
        parts = [len(client.get(address, headers=compressed).data) for address in addresses]
        assert len(page) + sum(parts) < 50_000, path
        assert len(parts) <= 5, path


def test_a_problem_is_a_page_for_people_and_json_for_programs(client: FlaskClient, look: Look) -> None:
    assert "there is no job nothing" in look("/jobs/nothing", 404)
    assert "there is no /nowhere here" in look("/nowhere", 404)
    response = client.get("/jobs/nothing")
    assert (response.status_code, response.content_type) == (404, "application/problem+json")
    of_the_api = client.get("/v1/jobs/nothing", headers=AS_BROWSER)
    assert of_the_api.content_type == "application/problem+json"


def test_the_page_can_be_switched_off(app_with: AppWith) -> None:
    client = app_with(page=False).test_client()
    assert client.get("/", headers=AS_BROWSER).status_code == client.get("/jobs").status_code == 404
    assert client.get("/v1/jobs").status_code == 200


def test_behind_a_proxy_every_link_stays_below_its_prefix(app_with: AppWith) -> None:
    key = {"Authorization": "Bearer s3cret-canary-key"} | AS_BROWSER
    with served(app_with(admin_key=SecretStr("s3cret-canary-key"), behind_proxy=True)) as behind:
        proxy = PrefixProxy(behind, "/gradyard")
        with served(proxy) as front, httpx.Client(trust_env=False, headers=key) as http:
            page = http.get(f"{front}/gradyard/")
            addresses = re.findall(r'(?:src|href)="([^"#]*)"', page.text)
            assert [each for each in addresses if not each.startswith("/gradyard/")] == []
            for each in addresses:
                assert http.get(urljoin(str(page.url), each)).status_code == 200, each
        proxy.close()


def test_a_database_that_does_not_answer_is_told_in_words(app_with: AppWith) -> None:
    app: OpenAPI = app_with(database_url=SecretStr("postgresql://unknown@127.0.0.1:1/nothing"))
    response = app.test_client().get("/", headers=AS_BROWSER)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    assert "Load this page again" in response.text
