"""Behind a proxy that serves the service below a path, links lead where they should; forged headers open nothing."""

import re
from collections.abc import Iterator
from urllib.parse import urljoin

import httpx
import pytest
from pydantic import SecretStr

from gradyard import Client
from gradyard.jobs.errors import SettingsInvalid
from gradyard.jobs.settings import Settings
from gradyard.local.errors import CannotStart
from gradyard.local.launch import refuse_open_door
from service.app import create_app
from tests.service.conftest import AppWith
from tests.service.reverse_proxy import PrefixProxy, served

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

KEY = "s3cret-canary-key"
BEARER = {"Authorization": f"Bearer {KEY}"}
FORGED = {
    "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "localhost",
    "X-Forwarded-Prefix": "/elsewhere", "X-Forwarded-Port": "1",
}  # fmt: skip


@pytest.fixture
def outside(app_with: AppWith) -> Iterator[str]:
    """The URL of a service below /gradyard of a proxy."""
    with served(app_with(admin_key=SecretStr(KEY), behind_proxy=True)) as behind:
        proxy = PrefixProxy(behind, "/gradyard")
        with served(proxy) as front:
            yield f"{front}/gradyard"
        proxy.close()


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, headers=BEARER) as http:
        yield http


def test_what_a_submission_makes_is_found_at_its_location(outside: str, browser: httpx.Client) -> None:
    for path, body in (("/v1/jobs", {"stage": "nn"}), ("/v1/batches", {"jobs": [{"stage": "nn"}]})):
        made = browser.post(outside + path, json=body)
        assert made.status_code == 202
        assert made.headers["Location"].startswith(f"/gradyard{path}/")
        found = browser.get(urljoin(outside, made.headers["Location"]))
        assert (found.status_code, found.json()["id"]) == (200, made.json()["id"])


def test_the_documentation_loads_all_of_its_parts(outside: str, browser: httpx.Client) -> None:
    page = browser.get(f"{outside}/docs")
    parts = re.findall(r'(?:src|href)="(?!data:)([^"]+)"', page.text)
    assert len(parts) == 3
    for part in parts:
        assert browser.get(urljoin(f"{outside}/docs", part)).status_code == 200, part
    (document,) = re.findall(r'url: "([^"]+)"', browser.get(urljoin(f"{outside}/docs", parts[-1])).text)
    described = browser.get(urljoin(f"{outside}/docs", document)).json()
    (server,) = described["servers"]
    base = urljoin(outside, server["url"])
    assert browser.get(base.rstrip("/") + "/v1/stages").status_code == 200


def test_a_missing_path_is_named_as_the_client_wrote_it(outside: str, browser: httpx.Client) -> None:
    assert browser.get(f"{outside}/v2").json()["detail"] == "there is no /gradyard/v2 here; see /gradyard/docs"


def test_the_client_takes_a_url_with_a_path(outside: str) -> None:
    with Client(f"{outside}/", KEY) as client:
        job = client.submit(stage="nn")
        assert client.job(job.id).id == job.id
        assert [each.id for each in client.jobs()] == [job.id]


def test_without_the_setting_the_headers_mean_nothing(app_with: AppWith) -> None:
    client = app_with().test_client()
    job = client.post("/v1/jobs", json={"stage": "nn"}, headers=FORGED)
    assert job.headers["Location"].startswith("/v1/jobs/")
    assert client.get("/openapi.json", headers=FORGED).json["servers"] == [{"url": "/"}]  # type: ignore[index]
    assert client.get("/v1/jobs", headers=FORGED | {"Host": "evil.example"}).status_code == 403
    stranger = {"REMOTE_ADDR": "203.0.113.5"}
    assert client.get("/v1/jobs", headers=FORGED, environ_overrides=stranger).status_code == 403
    origins = FORGED | {"Origin": "https://localhost"}
    assert client.post("/v1/jobs", json={"stage": "nn"}, headers=origins).status_code == 403


def test_behind_a_proxy_nothing_is_open_without_a_key(app_with: AppWith, settings: Settings) -> None:
    with pytest.raises(SettingsInvalid, match=r"GRADYARD_ADMIN_KEY: .*GRADYARD_BEHIND_PROXY"):
        create_app(settings.model_copy(update={"behind_proxy": True}))
    with pytest.raises(CannotStart, match=r"GRADYARD_BEHIND_PROXY.*set GRADYARD_ADMIN_KEY"):
        refuse_open_door(settings.model_copy(update={"behind_proxy": True}))
    client = app_with(admin_key=SecretStr(KEY), behind_proxy=True).test_client()
    assert client.get("/v1/jobs", headers=FORGED).status_code == 401
    assert client.get("/v1/jobs", headers=FORGED | BEARER).status_code == 200


def test_a_prefix_cannot_lead_to_another_host(app_with: AppWith) -> None:
    client = app_with(admin_key=SecretStr(KEY), behind_proxy=True).test_client()
    headers = BEARER | {"X-Forwarded-Prefix": "//evil.example"}
    location = client.post("/v1/jobs", json={"stage": "nn"}, headers=headers).headers["Location"]
    assert not location.startswith("//")
