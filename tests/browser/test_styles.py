"""The page looks with the part of Bootstrap that it loads as it would with all of it."""

import pytest

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from service.dashboard.bootstrap import STYLES, used_styles
from tests.actors import claimed, submitted, succeeds, worker_of
from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser

PATHS = ["/", "/jobs", "/jobs?where=loss_min+%3C", "/jobs/{}", "/compare?job={}", "/submit", "/batches", "/workers",
         "/storage", "/keys", "/webhooks", "/audit", "/nothing-here"]  # fmt: skip
MISSED = """([all, used]) => {
  const selectors = (text) => {
    const sheet = new CSSStyleSheet(), found = [];
    sheet.replaceSync(text);
    const walk = (rules) => [...rules].forEach((rule) => {
      if (rule.selectorText) found.push(...rule.selectorText.split(/,(?![^(]*\\))/).map((each) => each.trim()));
      else if (rule.cssRules) walk(rule.cssRules);
    });
    walk(sheet.cssRules);
    return found;
  };
  const kept = new Set(selectors(used)), elements = /::?(before|after|placeholder|file-selector-button|-[a-z-]+)/g;
  const left = [...new Set(selectors(all))].filter((each) => !kept.has(each));
  const whenever = /:(hover|focus(-visible|-within)?|active|disabled|checked|indeterminate|valid|invalid)(?![-\\w])/g;
  const plain = left.map((each) => each.replace(elements, "").replace(whenever, "").replaceAll(":not()", ""));
  // What ends in a combinator now is no selector.
  const matched = (each) => { try { return document.querySelector(each); } catch { return null; } };
  return [plain.length, plain.filter((each) => each && matched(each))];
}"""


@pytest.fixture(scope="module")
def url(seeded: tuple[str, Database, Settings]) -> str:
    """The address of a service with a job that succeeded and one that waits."""
    address, database, settings = seeded
    submitted(database, settings, steps=4, tags={"week": "3"})
    succeeds(database, claimed(database, worker_of(database)))
    submitted(database, settings, name="waits")
    return address


def test_no_rule_of_bootstrap_that_is_left_out_is_one_for_something_on_a_page(open_page: OpenPage, url: str) -> None:
    page = open_page("/", expected=("404 (NOT FOUND)",))
    job = page.request.get("/v1/jobs?state=succeeded").json()["jobs"][0]["id"]
    for path in PATHS:
        page.goto(path.format(job))
        page.wait_for_load_state()
        left_out, missed = page.evaluate(MISSED, [STYLES.read_text(), used_styles()])
        assert left_out > 1000
        assert missed == [], path


def test_what_is_loaded_is_a_small_part() -> None:
    assert len(used_styles()) < len(STYLES.read_text()) / 5
