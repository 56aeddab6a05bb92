"""Pages of batches and the comparison in a browser: charts, selection, filters, hover, keys, a phone."""

import re
from collections.abc import Iterator
from io import BytesIO
from uuid import UUID

import numpy as np
import orjson
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from gradyard.jobs.settings import Settings
from gradyard.jobs.states import Reason
from gradyard.jobs.submission.batches import parse_batch
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.tables import Job
from tests.actors import LEASE, fails, progress_of, worker_of
from tests.browser.conftest import LOOKS, OpenPage, assert_open_to_all

pytestmark = pytest.mark.browser

EVIL = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>"
RATES = [1e-6, 1e-5, 1e-4, 1e-3]
STEPS = 30
Seeded = tuple[str, Database, Settings]
Batches = dict[str, UUID]


def stored(database: Database, settings: Settings, body: dict[str, object]) -> UUID:
    with database.begin() as connection:
        parsed = parse_batch(BytesIO(orjson.dumps(body)), settings)
        lifecycle.submit_batch(connection, parsed, project_id=1, actor="api", max_queued=1000)
        newest = select(Job.batch_id).order_by(Job.id.desc()).limit(1)
        found = connection.execute(newest).scalar_one()
    assert found is not None
    return found


def claims(database: Database) -> Iterator[lifecycle.Claim]:
    """Claims of all jobs that wait, one after another."""
    worker = worker_of(database)
    while True:
        with database.begin() as connection:
            claim = lifecycle.claim(connection, worker, LEASE)
        if claim is None:
            return
        yield claim


def trained(database: Database) -> None:
    """What waits ends: the smaller its learning rate, the higher its loss; those of the highest diverge."""
    for claim in claims(database):
        with database.begin() as connection:
            for member in claim.members:
                rate = member.spec["learning_rate"]
                losses = (1e-4 / rate + 100 * np.exp(-np.arange(STEPS) / 5)).tolist()
                assert lifecycle.record(connection, progress_of(member, losses))
                if rate == RATES[-1]:
                    assert lifecycle.fail(connection, member.held, Reason.DIVERGED, EVIL, actor="worker")
                else:
                    outcome = lifecycle.Outcome({"a": 0.5}, "y = 0.5", {"engine": "eager"})
                    assert lifecycle.succeed(connection, member.held, outcome, actor="worker")
            lifecycle.release(connection, claim.id, actor="worker")


@pytest.fixture(scope="module")
def batches(seeded: Seeded) -> Batches:
    """A sweep of which all ended, a batch of which all failed, one of one job, and one that waits."""
    _, database, settings = seeded
    spec = {"stage": "optim", "steps": STEPS, "optimizer": {"name": "sgd"}, "name": EVIL}
    grid = {"learning_rate": RATES, "optimizer.momentum": [0.0, 0.5, 0.9]}
    found = {"sweep": stored(database, settings, {"name": EVIL, "spec": spec, "grid": grid})}
    trained(database)
    found["failed"] = stored(database, settings, {"spec": {"stage": "nn"}, "grid": {"seed": [1, 2]}})
    for claim in claims(database):
        fails(database, claim)
    found["single"] = stored(database, settings, {"jobs": [{"stage": "nn", "steps": STEPS, "learning_rate": 1e-5}]})
    trained(database)
    found["waits"] = stored(database, settings, {"name": "w" * 190, "jobs": [{"stage": "nn"}] * 3})
    return found


@pytest.fixture(scope="module")
def url(seeded: Seeded) -> str:
    return seeded[0]


def drawn(page: Page) -> Page:
    expect(page.locator("#charts")).to_have_attribute("data-drawn", "all")
    return page


def rows(page: Page) -> int:
    return page.locator("#rows tbody tr").count()


@pytest.mark.parametrize(
    ("which", "look"),
    [
        *(("sweep", look) for look in LOOKS),
        *(("failed", "dark"), ("single", "phone"), ("waits", "light"), ("waits", "dark")),
    ],
)
def test_every_batch_is_drawn_without_an_error_and_fits(
    open_page: OpenPage, batches: Batches, which: str, look: str
) -> None:
    page = drawn(open_page(f"/batches/{batches[which]}", **LOOKS[look]))
    assert page.locator("img").count() == 0
    assert_open_to_all(page, look)


def test_the_list_and_a_batch_can_be_read_without_scripts(open_page: OpenPage, batches: Batches) -> None:
    page = open_page("/batches", java_script_enabled=False, expected=("was preloaded",))
    sweep = page.get_by_role("row").filter(has=page.locator(f"a[href='/batches/{batches['sweep']}']"))
    expect(sweep).to_contain_text("12 ended · 3 failed")
    expect(sweep).to_contain_text("learning_rate 0.0001")  # of the best
    sweep.get_by_role("link", name=EVIL).click()
    expect(page.locator(".states")).to_contain_text("12 of 12 have ended")
    best = page.get_by_role("region", name="Best so far").locator("tbody tr").first
    expect(best.get_by_title(EVIL)).to_be_visible()
    expect(best).to_contain_text("1.30")
    expect(page.get_by_text("its loss grew without bound")).to_be_visible()
    expect(page.locator("#charts")).to_be_hidden()
    expect(page.locator("noscript .alert")).to_contain_text("Charts need JavaScript")


def test_the_best_so_far_and_as_many_of_the_best_curves_as_one_chooses_are_drawn(
    open_page: OpenPage, batches: Batches
) -> None:
    page = drawn(open_page(f"/batches/{batches['sweep']}"))
    expect(page.locator("#history .line")).to_have_count(1)
    told = page.locator("#band .legend li")
    for best in (5, 1, 3):
        page.locator("#top").select_option(str(best))
        expect(told).to_have_count(1 + best)  # and the median
    page.locator("#metric").select_option("loss_min")
    page.locator("#mode").select_option("max")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**metric=loss_min**")
    expect(page.locator("#history svg")).to_have_attribute("aria-label", re.compile("Best outcome"))
    assert "mode=max" in page.url


@pytest.mark.parametrize("look", LOOKS)
def test_the_list_and_the_comparison_fit_and_have_no_finding_of_axe(
    open_page: OpenPage, batches: Batches, look: str
) -> None:
    page = open_page("/batches", **LOOKS[look])
    assert_open_to_all(page, look)
    for path in (f"/compare?batch={batches['sweep']}", "/compare"):
        page.goto(path)
        expect(page.locator("main h1")).to_be_visible()
        assert_open_to_all(page, look)


def test_a_range_of_an_axis_selects_rows_and_becomes_a_question_of_every_chart(
    open_page: OpenPage, batches: Batches
) -> None:
    page = drawn(open_page(f"/batches/{batches['sweep']}"))
    assert rows(page) == 12
    page.locator("#parallel canvas").scroll_into_view_if_needed()
    box = page.locator("#parallel canvas").bounding_box()
    assert box is not None
    left = box["x"] + 60  # the first axis: the learning rate, which matters most
    page.mouse.move(left, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(left, box["y"] + 60, steps=4)
    page.mouse.up()
    expect(page.locator("#rows caption")).to_have_text("Selected: 3 of 12 runs")
    assert rows(page) == 3
    page.locator("#as-question").click()
    expect(page.locator("#told")).to_contain_text("3 runs of 12")
    assert "learning_rate" in page.locator("#where").input_value()
    assert "where=learning_rate" in page.url
    page.go_back()
    expect(page.locator("#told")).to_contain_text("12 runs")


def test_ranges_are_entered_by_keys(open_page: OpenPage, batches: Batches) -> None:
    page = drawn(open_page(f"/batches/{batches['sweep']}"))
    page.locator("#ranges summary").focus()
    page.keyboard.press("Enter")
    page.get_by_label("learning_rate to").fill("0.00002")
    page.keyboard.press("Tab")
    expect(page.locator("#rows caption")).to_have_text("Selected: 6 of 12 runs")
    page.get_by_role("button", name="Select all runs").click()
    expect(page.locator("#rows caption")).to_have_text("12 runs")


def test_what_matters_is_told_and_points_are_reached_by_keys(open_page: OpenPage, batches: Batches) -> None:
    page = drawn(open_page(f"/batches/{batches['sweep']}"))
    expect(page.locator("#importance dt").first).to_have_text("learning_rate")
    expect(page.locator("#importance dd").first).to_have_text("100 %")
    page.locator("#scatter canvas").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#scatter .tip")).to_contain_text("optimizer.momentum")
    page.keyboard.press("Enter")
    page.wait_for_url("**/jobs/*")


def test_a_question_that_cannot_be_read_is_told_beside_it(open_page: OpenPage, batches: Batches) -> None:
    page = drawn(open_page(f"/batches/{batches['sweep']}", expected=("422",)))
    page.locator("#where").fill("learning_rate <")
    page.keyboard.press("Enter")
    expect(page.locator("#where-problem")).to_contain_text("cannot be read")


def test_curves_are_compared_by_step_time_and_smoothed_and_hover_shows_the_nearest(
    open_page: OpenPage, batches: Batches
) -> None:
    page = open_page(f"/compare?batch={batches['sweep']}")
    expect(page.locator("#curves")).to_have_attribute("data-drawn", "all")
    chart = page.locator("#curves svg.line-chart")
    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 100)
    expect(page.locator("#curves .tip div")).to_have_count(10)  # the step, eight of twelve losses, and how many more
    expect(page.locator("#curves .tip div").last).to_have_text("and 4 more curves")
    page.locator("#smooth").select_option("11")
    expect(page.locator("#curves-told")).to_contain_text("moving average of 11 steps")
    page.locator("#by").select_option("time")
    expect(page.locator("#curves-told")).to_contain_text("evenly over the seconds")
    expect(chart).to_contain_text("seconds of training")


def test_what_a_page_draws_first_is_asked_for_once_while_its_scripts_come(
    open_page: OpenPage, batches: Batches
) -> None:
    asked: list[str] = []
    page = open_page("/jobs")
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/batches/{batches['sweep']}")
    drawn(page)
    page.goto(f"/compare?batch={batches['sweep']}")
    expect(page.locator("#curves")).to_have_attribute("data-drawn", "all")
    assert [sum(part in url for url in asked) for part in ("/runs", "/v1/losses?job=")] == [
        1,
        2,
    ]  # one of the best runs


def test_jobs_that_are_chosen_in_the_table_are_compared(open_page: OpenPage, batches: Batches) -> None:
    page = open_page(f"/jobs?batch={batches['sweep']}")
    for number in range(3):
        page.locator(".choose").nth(number).check()
    page.get_by_role("button", name="Compare").click()
    page.wait_for_url("**/compare?*")
    expect(page.locator(".compared tbody tr")).to_have_count(3)


def test_failed_jobs_of_a_batch_are_retried_and_what_waits_is_cancelled(open_page: OpenPage, batches: Batches) -> None:
    page = drawn(open_page(f"/batches/{batches['failed']}"))
    page.get_by_role("button", name="Retry 2 failed").click()
    page.get_by_role("button", name="Yes").click()
    expect(page.locator(".states")).to_contain_text("queued")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Yes").click()
    expect(page.locator(".states")).to_contain_text("2 of 2 have ended")
