"""Pages of a service with jobs in every state: light, dark, on a phone, by keys alone, without scripts."""

import csv
import re
from io import BytesIO
from uuid import UUID

import numpy as np
import orjson
import pytest
from playwright.sync_api import Route, expect
from sqlalchemy import insert

from gradyard.jobs.settings import Settings
from gradyard.jobs.states import State
from gradyard.jobs.submission.batches import parse_batch
from gradyard.store import lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.tables import AttemptLog
from tests.actors import claimed, claimed_with, fails, submitted, succeeds, worker_of
from tests.browser.conftest import DESK, LOOKS, OpenPage, assert_open_to_all

pytestmark = pytest.mark.browser

EVIL = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>"
LOSSES = [float(loss) for loss in 100 * np.exp(-np.arange(400) / 60) + 1]
COEFFICIENTS = '{"a": 0.5, "b": 1.5}'
SAVED = {"CSV": b"step,loss\n0,101.0\n", "NPY": b"\x93NUMPY", "JSON": b'{"', "SVG": b"<svg", "PNG": b"\x89PNG"}
Seeded = tuple[str, Database, Settings]


@pytest.fixture(scope="module")
def jobs(seeded: Seeded) -> dict[str, UUID]:
    """One job in each state that no worker is needed for, by that state; their texts are as evil as may be."""
    _, database, settings = seeded
    worker, found = worker_of(database), {}
    texts = {"name": EVIL, "tags": {EVIL: EVIL, "week": "3"}}
    found["succeeded"] = submitted(database, settings, steps=len(LOSSES), **texts)
    succeeds(database, claimed(database, worker), LOSSES)
    found["failed"] = submitted(database, settings, name="fails")
    fails(database, claimed(database, worker))
    with database.begin() as connection:
        row = {"job_id": found["failed"], "project_id": 1, "attempt": 1, "text": EVIL, "truncated": False}
        connection.execute(insert(AttemptLog).values(row))
        batch = orjson.dumps({"name": EVIL, "jobs": [{"stage": "nn", "name": "x" * 200}] * 3})
        parsed = parse_batch(BytesIO(batch), settings)
        lifecycle.submit_batch(connection, parsed, project_id=1, actor="test", max_queued=1000)
    found["queued"] = submitted(database, settings, name="waits")
    return found


@pytest.fixture(scope="module")
def url(seeded: Seeded) -> str:
    """The address of the service."""
    return seeded[0]


def paths(jobs: dict[str, UUID]) -> list[str]:
    return ["/", "/jobs", "/jobs?where=loss_min+%3C", *(f"/jobs/{job_id}" for job_id in jobs.values())]


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_opens_without_errors_fits_its_width_and_has_no_serious_barrier(
    open_page: OpenPage, jobs: dict[str, UUID], look: str
) -> None:
    page = open_page("/", **LOOKS[look])
    page.on("dialog", lambda dialog: pytest.fail(f"a text of a user ran: {dialog.message}"))
    for path in paths(jobs):
        page.goto(path)
        expect(page.locator("main")).to_be_visible()
        assert page.locator("img, script:not([src])").count() == 0
        assert_open_to_all(page, look)


def test_the_theme_is_chosen_once_for_all_pages(open_page: OpenPage, jobs: dict[str, UUID]) -> None:
    page = open_page("/", color_scheme="light")
    page.get_by_role("button", name="Light or dark").click()
    page.goto("/jobs")
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"


def test_lists_and_figures_can_be_read_without_scripts(open_page: OpenPage, jobs: dict[str, UUID]) -> None:
    page = open_page("/jobs", java_script_enabled=False)
    expect(page.get_by_role("link", name="fails")).to_be_visible()
    expect(page.locator(".choose").first).to_be_hidden()
    page.goto(f"/jobs/{jobs['succeeded']}")
    expect(page.locator("figure polyline").first).to_be_visible()
    expect(page.get_by_text("at step 399")).to_be_visible()
    expect(page.locator("math")).to_be_visible()


def test_all_is_reached_by_keys(open_page: OpenPage, jobs: dict[str, UUID]) -> None:
    page = open_page("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.goto(f"/jobs/{jobs['succeeded']}")
    chart = page.get_by_role("application", name="Loss by step")
    chart.focus()
    page.keyboard.press("Home")
    expect(page.locator(".tip").first).to_contain_text("step 0")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".tip").first).to_contain_text("step 1")
    page.keyboard.press("End")
    expect(page.locator(".tip").first).to_contain_text("step 399")


def test_a_curve_is_zoomed_by_dragging_and_shown_whole_again(open_page: OpenPage, jobs: dict[str, UUID]) -> None:
    page = open_page(f"/jobs/{jobs['succeeded']}", viewport=DESK)
    chart = page.get_by_role("application", name="Loss by step")
    expect(chart).to_have_attribute("data-values", str(len(LOSSES)))
    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 3 / 4, box["y"] + 50, steps=4)
    page.mouse.up()
    expect(chart).to_have_attribute("data-values", re.compile(r"^1?\d\d$"))
    page.get_by_role("button", name="all steps").click()
    expect(chart).to_have_attribute("data-values", str(len(LOSSES)))
    log = page.get_by_role("button", name="log")
    before = page.locator(".line").first.get_attribute("d")
    log.click()
    expect(log).to_have_attribute("aria-pressed", "false")
    assert page.locator(".line").first.get_attribute("d") != before


def test_a_curve_that_stays_between_two_powers_of_ten_is_drawn_with_levels(
    open_page: OpenPage, jobs: dict[str, UUID], seeded: Seeded
) -> None:
    _, database, settings = seeded
    job_id = submitted(database, settings, name="one decade", priority=100)
    succeeds(database, claimed_with(database, worker_of(database, "cpu-5"), job_id), [9.0, 7.0, 4.0, 2.0])
    page = open_page(f"/jobs/{job_id}")
    expect(page.locator("[data-chart=curve] .line")).to_be_visible()
    expect(page.locator("[data-chart=curve] .grid")).not_to_have_count(0)


def test_what_a_person_takes_elsewhere_is_copied(open_page: OpenPage, jobs: dict[str, UUID], seeded: Seeded) -> None:
    page = open_page(f"/jobs/{jobs['succeeded']}", permissions=["clipboard-read", "clipboard-write"])
    copies = {
        "Copy the id": str(jobs["succeeded"]),
        "Copy the formula as text": "y = 0.5 + 1.5 x",
        "Copy": COEFFICIENTS,
    }
    for button, text in copies.items():
        page.evaluate("document.getElementById('notice').textContent = ''")  # what it said of the one before
        page.get_by_role("button", name=button, exact=True).click()
        expect(page.locator("#notice")).to_have_text("Copied.")
        assert page.evaluate("navigator.clipboard.readText()") == text


def test_a_curve_is_saved_as_a_file_of_each_kind(open_page: OpenPage, jobs: dict[str, UUID]) -> None:
    page = open_page(f"/jobs/{jobs['succeeded']}", viewport=DESK)
    expect(page.locator("[data-chart=curve] .line")).to_be_visible()
    for button, begins in SAVED.items():
        with page.expect_download() as download:
            page.get_by_role("button", name=button, exact=True).click()
        assert download.value.path().read_bytes().startswith(begins), button


def test_a_question_is_asked_and_its_address_can_be_kept(open_page: OpenPage, jobs: dict[str, UUID]) -> None:
    page = open_page("/jobs")
    page.get_by_label("Where").fill('name == "fails"')
    page.keyboard.press("Enter")
    expect(page.locator(".choose")).to_have_count(1)
    assert "where=name+%3D%3D+%22fails%22" in page.url
    page.get_by_role("link", name="succeeded").click()
    expect(page.get_by_text("No job is like that")).to_be_visible()
    page.go_back()
    expect(page.locator(".choose")).to_have_count(1)


def fail(database: Database, job_ids: list[UUID]) -> None:
    """Let these jobs fail, in as many packs as they are claimed in: of slots that are idle, each takes its share."""
    worker = worker_of(database, "cpu-7")
    while True:
        with database.read() as connection:
            if State.QUEUED not in {queries.state_of(connection, 1, job_id) for job_id in job_ids}:
                return
        fails(database, claimed(database, worker))


def test_chosen_jobs_are_tagged_and_deleted(open_page: OpenPage, jobs: dict[str, UUID], seeded: Seeded) -> None:
    _, database, settings = seeded
    made = [submitted(database, settings, name=f"to go {number}", priority=100) for number in range(2)]
    fail(database, made)
    page = open_page("/jobs")
    for job_id in made:
        page.locator(f".choose[value='{job_id}']").check()
    expect(page.get_by_text("2 chosen")).to_be_visible()
    page.get_by_role("button", name="Tag", exact=True).click()
    page.get_by_label("Tag, as key=value").fill("course=w9")
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_role("link", name="course=w9")).to_have_count(2)
    for job_id in made:
        page.locator(f".choose[value='{job_id}']").check()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_text("to go 1")).to_have_count(0)
    expect(page.get_by_text("to go 0")).to_have_count(0)


def test_chosen_jobs_are_cancelled_and_submitted_again(
    open_page: OpenPage, jobs: dict[str, UUID], seeded: Seeded
) -> None:
    _, database, settings = seeded
    made = [submitted(database, settings, name=f"again {number}") for number in range(2)]
    page = open_page("/jobs?where=tags.again+is+None")
    chosen = page.locator("#selection")

    def choose() -> None:
        for job_id in made:
            page.locator(f".choose[value='{job_id}']").check()

    choose()
    chosen.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_text("2 of 2 cancelled.")).to_be_visible()
    choose()
    chosen.get_by_role("button", name="Retry").click()
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_text("2 of 2 submitted again.")).to_be_visible()
    expect(page.get_by_role("link", name="again 1")).to_have_count(2)


def test_a_recheck_is_begun_by_a_button_and_both_jobs_tell_of_it(
    open_page: OpenPage, jobs: dict[str, UUID], seeded: Seeded
) -> None:
    _, database, settings = seeded
    job_id = submitted(database, settings, name="to recheck", priority=100)
    succeeds(database, claimed_with(database, worker_of(database, "cpu-6"), job_id))
    page = open_page(f"/jobs/{job_id}")
    page.get_by_role("button", name="Recheck").click()
    page.wait_for_url(lambda address: str(job_id) not in address)
    expect(page.locator("p", has_text="Recheck:")).to_be_visible()
    page.get_by_role("link", name="the original").click()
    expect(page.get_by_role("heading", name="to recheck")).to_contain_text("succeeded")
    expect(page.get_by_role("link", name="the recheck")).to_be_visible()


def test_chosen_jobs_are_exported_alone(open_page: OpenPage, jobs: dict[str, UUID]) -> None:
    page = open_page("/jobs")
    chosen = [str(jobs["succeeded"]), str(jobs["failed"])]
    for job_id in chosen:
        page.locator(f".choose[value='{job_id}']").check()
    with page.expect_download() as download:
        page.locator("#selection").get_by_role("button", name="CSV").click()
    with download.value.path().open(newline="") as file:
        assert sorted(row["id"] for row in csv.DictReader(file)) == sorted(chosen)


def test_a_page_whose_stream_is_refused_asks_every_so_often(
    open_page: OpenPage, jobs: dict[str, UUID], seeded: Seeded
) -> None:
    _, database, settings = seeded
    job_id = submitted(database, settings, name="polled", priority=100)
    page = open_page("/keys", expected=("Failed to load resource", "503"))
    refused: list[str] = []

    def refuse(route: Route) -> None:
        refused.append(route.request.url)
        route.fulfill(status=503)

    page.route("**/events?*", refuse)
    page.goto(f"/jobs/{job_id}")
    heading = page.get_by_role("heading", name="polled")
    expect(heading).to_contain_text("queued")
    succeeds(database, claimed_with(database, worker_of(database, "cpu-9"), job_id))
    expect(heading).to_contain_text("succeeded")
    assert refused


def test_a_waiting_job_is_cancelled_after_a_question(
    open_page: OpenPage, jobs: dict[str, UUID], seeded: Seeded
) -> None:
    _, database, settings = seeded
    page = open_page(f"/jobs/{submitted(database, settings, name='to cancel')}")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="No").click()
    expect(page.get_by_role("heading", name="to cancel")).to_contain_text("queued")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_role("heading", name="to cancel")).to_contain_text("cancelled")


def test_a_page_follows_its_job_without_being_loaded_again(
    open_page: OpenPage, jobs: dict[str, UUID], seeded: Seeded
) -> None:
    _, database, settings = seeded
    job_id = submitted(database, settings, name="followed", priority=100)
    page = open_page(f"/jobs/{job_id}")
    heading = page.get_by_role("heading", name="followed")
    expect(heading).to_contain_text("queued")
    claim = claimed_with(database, worker_of(database, "cpu-8"), job_id)
    expect(heading).to_contain_text("running")
    succeeds(database, claim)
    expect(heading).to_contain_text("succeeded")
    expect(page.locator("[data-chart=curve] .line")).to_be_visible()
