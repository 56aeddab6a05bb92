"""A tab that is out of sight has no stream and asks for nothing; in sight again it catches up."""

import pytest
from playwright.sync_api import Page, Request, expect

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from tests.actors import claimed, submitted, succeeds, worker_of
from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser

Seeded = tuple[str, Database, Settings]


@pytest.fixture(scope="module")
def url(seeded: Seeded) -> str:
    """The address of the service."""
    return seeded[0]


def look_away(page: Page, hidden: bool) -> None:
    """What Chromium does for a tab that another one hides; without a screen it takes every tab for visible."""
    page.evaluate(
        """(hidden) => {
            Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def is_stream(request: Request) -> bool:
    return request.resource_type == "eventsource"


def test_it_closes_its_stream_and_catches_up_when_it_is_seen_again(open_page: OpenPage, seeded: Seeded) -> None:
    _, database, settings = seeded
    job_id = submitted(database, settings, name="followed")
    page = open_page("/jobs")
    with page.expect_request(is_stream):
        page.goto(f"/jobs/{job_id}")
    heading = page.get_by_role("heading", name="followed")
    expect(heading).to_contain_text("queued")
    asked: list[Request] = []
    with page.expect_event("requestfailed", is_stream):  # closed by the page
        look_away(page, hidden=True)
    page.on("request", lambda request: asked.append(request))  # Playwright refuses a builtin
    succeeds(database, claimed(database, worker_of(database)))
    with page.expect_request(lambda request: request.url.endswith("/healthz")):
        page.evaluate("fetch('/healthz')")  # by then a move would have come
    assert [request.url for request in asked if not request.url.endswith("/healthz")] == []
    expect(heading).to_contain_text("queued")
    look_away(page, hidden=False)
    expect(heading).to_contain_text("succeeded")


def test_a_tab_that_is_seen_again_has_a_stream_again(open_page: OpenPage, seeded: Seeded) -> None:
    page = open_page("/jobs")
    with page.expect_request(is_stream):
        page.goto("/")
    with page.expect_event("requestfailed", is_stream):
        look_away(page, hidden=True)
    with page.expect_request(is_stream):
        look_away(page, hidden=False)
