"""From one click to results, on a whole service."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

import migrations
from tests.browser.conftest import OpenPage
from tests.servers import RedisServer
from tests.stack.service_processes import Service

pytestmark = [pytest.mark.browser, pytest.mark.stack]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer) -> Iterator[str]:
    """The address of a service with workers and without jobs."""
    folder: Path = tmp_path_factory.mktemp("page-service")
    database = f"sqlite:///{folder / 'gradyard.db'}"
    migrations.upgrade(database)
    service = Service(database, redis_server.of(7), folder)
    service.start()
    yield service.url
    service.stop()


def test_one_click_trains_the_eight_stages_and_a_running_job_is_cancelled(open_page: OpenPage) -> None:
    page = open_page("/")
    page.get_by_role("button", name=re.compile("Train .*eight stages")).click()
    expect(page).to_have_url(re.compile(r"/compare\?batch="))
    page.get_by_role("link", name="Jobs").click()
    rows = page.locator("tr", has=page.get_by_role("link", name="tutorial: "))
    expect(rows).to_have_count(8)
    expect(rows.locator(".state.succeeded")).to_have_count(8, timeout=300_000)  # a busy machine trains for minutes
    page.go_back()
    expect(page.get_by_text("A, B, C, E and G lie on one curve")).to_be_visible()
    expect(page.get_by_text("On their own: D, F, H.")).to_be_visible()
    speeds = page.locator(".compared tbody tr td:nth-last-child(2)").all_inner_texts()
    assert len(speeds) == 8
    assert all(re.match(r"[\d,.]+$", speed) for speed in speeds), speeds
    page.get_by_role("link", name="Jobs").click()
    page.get_by_role("link", name="tutorial: nn").click()
    expect(page.locator("math")).to_be_visible()
    expect(page.locator("[data-chart=model] .points circle").first).to_be_visible()
    page.get_by_text("Submit again with changes").click()
    page.locator("[data-path=steps] input").fill("9000000")
    page.locator("[data-path=name] input").fill("long")
    expect(page.locator("#verdict")).to_contain_text("Valid.")
    page.get_by_role("button", name="Submit", exact=True).click()
    heading = page.get_by_role("heading", name="long")
    expect(heading).to_contain_text("running")
    line = page.locator("[data-chart=curve] .line")
    drawn = line.get_attribute("d")
    assert drawn is not None
    expect(line).not_to_have_attribute("d", drawn)  # it grows while it trains
    expect(heading).to_contain_text("running")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Yes").click()
    expect(heading).to_contain_text("cancelled")


def test_a_form_becomes_a_result_without_a_reload(open_page: OpenPage, url: str) -> None:
    page = open_page("/submit?stage=nn")
    page.get_by_label("steps").fill("40")
    page.get_by_text("Name, tags, priority, device and more").click()
    page.locator("[data-path=name] input").fill("from a form")
    expect(page.locator("#verdict")).to_contain_text("Valid.")
    for queue in ("cpu", "gpu"):
        httpx.post(f"{url}/v1/queues/{queue}/pause").raise_for_status()
    page.get_by_role("button", name="Submit", exact=True).click()
    heading = page.get_by_role("heading", name="from a form")
    expect(heading).to_contain_text("queued")
    page.evaluate("document.isTheSame = true")
    for queue in ("cpu", "gpu"):
        httpx.post(f"{url}/v1/queues/{queue}/resume").raise_for_status()
    expect(heading).to_contain_text("succeeded", timeout=300_000)  # a busy machine starts a runner for minutes
    expect(page.locator("[data-chart=curve] .line")).to_have_attribute("d", re.compile("^M.*L"))
    expect(page.locator("math")).to_be_visible()
    expect(page.locator("[data-chart=model] .points circle").first).to_be_visible()
    assert page.evaluate("document.isTheSame"), "the page was loaded again"
