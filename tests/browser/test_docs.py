"""The page at /docs says what the service is, then lists its routes, and submits a job by its own example."""

import pytest
from playwright.sync_api import expect

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def url(seeded: tuple[str, Database, Settings]) -> str:
    """The address of the API."""
    return seeded[0]


def test_the_page_says_what_the_service_is_before_it_lists_routes(open_page: OpenPage) -> None:
    page = open_page("/docs")
    introduction, first = page.get_by_text("First steps."), page.locator(".opblock").first
    expect(introduction).to_be_visible()
    expect(first).to_contain_text("/v1/jobs")
    above, below = introduction.bounding_box(), first.bounding_box()
    assert above is not None
    assert below is not None
    assert above["y"] < below["y"]


def test_a_job_is_submitted_by_its_example(open_page: OpenPage) -> None:
    page = open_page("/docs")
    operation = page.locator("#operations-jobs-submit_job")
    operation.locator(".opblock-summary").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("202")
