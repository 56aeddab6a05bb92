"""A service with keys, in a browser: signed in, signed out, and when the key ends."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect
from pydantic import SecretStr

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from service.app import create_app
from service.http.services import Services
from tests.actors import submitted
from tests.browser.conftest import LOOKS, OpenPage, assert_open_to_all
from tests.service.reverse_proxy import served

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]

KEY = "s3cret-canary-key"
REFUSED = "401"  # which a browser's console tells as well


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    """The address of an API that needs a key."""
    app: Any = create_app(settings.model_copy(update={"admin_key": SecretStr(KEY)}))
    with served(app) as address:
        yield address
    services = app.extensions["gradyard"]
    assert isinstance(services, Services)
    services.close()


@pytest.mark.parametrize("look", LOOKS)
def test_the_sign_in_fits_and_has_no_serious_barrier(open_page: OpenPage, look: str) -> None:
    page = open_page("/", expected=(REFUSED,), **LOOKS[look])
    expect(page.get_by_label("Key")).to_be_visible()
    assert_open_to_all(page, look)


def test_a_key_opens_the_page_and_its_scripts_and_a_sign_out_closes_both(
    open_page: OpenPage, database: Database, settings: Settings
) -> None:
    job_id = submitted(database, settings, name="behind a key")
    page = open_page(f"/jobs/{job_id}", expected=(REFUSED,))
    page.get_by_label("Key").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("not valid")
    page.get_by_label("Key").fill(KEY)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="behind a key")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_role("heading", name="behind a key")).to_contain_text("cancelled")
    assert page.evaluate("document.cookie") == ""
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(f"/jobs/{job_id}")
    expect(page.get_by_label("Key")).to_be_visible()
