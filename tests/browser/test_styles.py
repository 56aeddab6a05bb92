"""The page looks with the part of Bootstrap that it loads as it would with all of it."""

import pytest
from playwright.sync_api import Page, Route, expect

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from service.dashboard.bootstrap import STYLES, used_styles
from tests.actors import claimed, submitted, succeeds, worker_of
from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser

ALL_OF_IT = "all-of-bootstrap.css"
PATHS = ["/", "/jobs", "/jobs?where=loss_min+%3C", "/jobs/{}", "/compare?job={}", "/submit", "/batches", "/workers",
         "/storage", "/keys", "/webhooks", "/audit", "/nothing-here"]  # fmt: skip
LOOKS = """() => [...document.querySelectorAll("body, body *")].map((element) => {
  const whole = [null, "::before", "::after"].map((part) => getComputedStyle(element, part).cssText).join();
  return [`${element.tagName} ${element.getAttribute("class")}`, whole];
})"""
WITH_ALL = """(name) => new Promise((done) => {
  const used = document.querySelector("link[href$='/bootstrap.css']"), all = used.cloneNode();
  all.href = used.href.replace("bootstrap.css", name);
  all.onload = () => done();
  used.replaceWith(all);
})"""


@pytest.fixture(scope="module")
def url(seeded: tuple[str, Database, Settings]) -> str:
    """The address of a service with a job that succeeded and one that waits."""
    address, database, settings = seeded
    submitted(database, settings, steps=4, tags={"week": "3"})
    succeeds(database, claimed(database, worker_of(database)))
    submitted(database, settings, name="waits")
    return address


def looks(page: Page) -> list[tuple[str, str]]:
    """Each element of the page, with all of its computed styles."""
    return [(name, style) for name, style in page.evaluate(LOOKS)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_looks_otherwise_with_all_of_bootstrap(open_page: OpenPage, url: str, scheme: str) -> None:
    page = open_page("/", color_scheme=scheme, reduced_motion="reduce", expected=("404 (NOT FOUND)",))
    page.route(f"**/{ALL_OF_IT}", lambda route: _all_of_it(route))
    job = page.request.get("/v1/jobs?state=succeeded").json()["jobs"][0]["id"]
    for path in PATHS:
        page.goto(path.format(job))
        expect(page.locator("main")).to_be_visible()
        page.wait_for_load_state("networkidle")
        with_some = looks(page)
        page.evaluate(WITH_ALL, ALL_OF_IT)
        assert [name for some, (name, style) in zip(with_some, looks(page), strict=True) if some[1] != style] == [], path


def test_what_is_loaded_is_a_small_part() -> None:
    assert len(used_styles()) < len(STYLES.read_text()) / 5


def _all_of_it(route: Route) -> None:
    route.fulfill(body=STYLES.read_text(), content_type="text/css")
