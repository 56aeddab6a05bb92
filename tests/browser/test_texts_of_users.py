"""What a user, a stage or a host wrote never runs and becomes no element, as a page comes and in its tips."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest
from playwright.sync_api import Dialog, Page, expect
from sqlalchemy import update

from gradyard.cli.arguments.spec import spec_from
from gradyard.jobs.settings import Settings
from gradyard.jobs.states import Reason
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.tables import Worker
from tests.actors import progress_of, submitted, worker_of
from tests.browser.conftest import DESK, OpenPage
from tests.browser.test_batches import EVIL, claims, drawn, stored
from tests.browser.test_submit import options_of

pytestmark = pytest.mark.browser

HOST = "\"'><img src=x onerror=alert(1)>"  # without a slash: it stands in a path
A_DAY = 86_400.0
LOSSES = [4.0, 3.0, 2.0, 1.0]
# Elements that no template has, and attributes by which a script would run.
MADE_OF_TEXT = """() => [...document.querySelectorAll("*")].filter((each) =>
    each.matches("img, iframe, object, embed, style, base, script:not([src^='/page/'])")
    || [...each.attributes].some(({ name }) => name.startsWith("on"))).map((each) => each.outerHTML)"""
Seeded = tuple[str, Database, Settings]
Look = Callable[[str], Page]


@pytest.fixture(scope="module")
def url(seeded: Seeded) -> str:
    """The address of the service."""
    return seeded[0]


@pytest.fixture
def look(open_page: OpenPage) -> Iterator[Look]:
    """A function: the page at a path. At the end of the test nothing may have run in it or been made of a text."""
    pages, ran = list[Page](), list[str]()

    def note(dialog: Dialog) -> None:
        ran.append(dialog.message)
        dialog.dismiss()

    def at(path: str) -> Page:
        page = open_page("about:blank", viewport=DESK)
        page.on("dialog", note)
        page.goto(path)
        pages.append(page)
        return page

    yield at
    for page in pages:
        assert_nothing_is_made_of_texts(page)
    assert ran == []


def assert_nothing_is_made_of_texts(page: Page) -> None:
    """For a page that the test leaves; that at its end is looked at anyway."""
    assert page.evaluate(MADE_OF_TEXT) == []


def train(database: Database, losses: list[float] = LOSSES, **environment: Any) -> None:
    """What waits succeeds, with evil names wherever a stage may give one."""
    for claim in claims(database):
        with database.begin() as connection:
            for member in claim.members:
                progress = progress_of(member, losses)
                progress.metrics.update(dict.fromkeys([EVIL, "plain"], progress.losses.astype(float)))
                assert lifecycle.record(connection, progress)
                outcome = lifecycle.Outcome({EVIL: 0.5}, EVIL, environment)
                assert lifecycle.succeed(connection, member.held, outcome, actor=EVIL)
            lifecycle.release(connection, claim.id, actor="worker")


def test_the_form_of_a_job_and_its_programs_keep_the_texts_of_the_job(look: Look, seeded: Seeded) -> None:
    url, database, settings = seeded
    tags = {EVIL: EVIL}
    page = look(f"/submit?from={submitted(database, settings, name=EVIL, tags=tags)}")
    expect(page.locator("[data-path=name] input")).to_have_value(EVIL)
    expect(page.locator("[data-path=tags] input")).to_have_value(orjson.dumps(tags).decode())
    expect(page.locator("#verdict")).to_contain_text("Valid.")
    sent = orjson.loads(options_of(page.locator("#curl-text").inner_text(), "-d")[0])
    command = page.locator("#command-text").inner_text()
    typed = spec_from(None, options_of(command, "--stage")[0], options_of(command, "--set"))
    assert (sent["name"], sent["tags"]) == (typed["name"], typed["tags"]) == (EVIL, tags)
    assert_nothing_is_made_of_texts(page)
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{EVIL} queued")
    made = httpx.get(f"{url}/v1/jobs/{page.url.rpartition('/')[2].rstrip('?')}").json()
    assert (made["name"], made["tags"]) == (EVIL, tags)


def test_a_formula_coefficients_metrics_and_a_recheck_are_texts(look: Look, seeded: Seeded) -> None:
    url, database, settings = seeded
    job_id = submitted(database, settings, name=EVIL)
    train(database, versions={EVIL: "1"})
    httpx.post(f"{url}/v1/jobs/{job_id}/recheck").raise_for_status()
    train(database, [*LOSSES[:-1], 0.5], versions={EVIL: "2"})
    page = look(f"/jobs/{job_id}")
    expect(page.locator("p", has_text="Recheck:")).to_contain_text(
        f"differ, first at step 3; not the same: {EVIL} (1, now 2)"
    )
    expect(page.locator(".formula")).to_have_text(EVIL)
    expect(page.locator("table", has_text="Coefficients").get_by_title(EVIL)).to_be_visible()


def test_the_name_of_a_metric_is_a_text_beside_its_curve_and_in_its_tip(look: Look, seeded: Seeded) -> None:
    _, database, settings = seeded
    job_id = submitted(database, settings)
    train(database)
    page = look(f"/jobs/{job_id}")
    curve = {"every": 1, "steps": [0, 1, 2, 3], "values": [16, 12, 8, 4]}
    page.route("**/metrics/*", lambda route: route.fulfill(json=curve))  # of such a name the service tells nothing
    expect(page.locator("dt").get_by_title(EVIL)).to_be_visible()
    for name in (EVIL, "plain"):
        page.get_by_role("button", name=name).click()
    chart = page.locator("figure").filter(has=page.get_by_role("application", name="Metrics by step"))
    expect(chart.locator(".legend li")).to_have_text([EVIL, "plain"])
    chart.get_by_role("application").focus()
    page.keyboard.press("End")
    expect(chart.locator(".tip div")).to_have_text(["step 3", f"{EVIL} 4", "plain 4"])


@pytest.fixture
def batch(seeded: Seeded) -> UUID:
    """A batch of an evil name, of jobs of evil names: three succeeded, one failed with an evil message."""
    _, database, settings = seeded
    train(database)  # what others left
    spec = {"stage": "nn", "steps": len(LOSSES), "name": EVIL}
    made = stored(
        database, settings, {"name": EVIL, "spec": spec, "grid": {"seed": [1, 2], "dtype": ["float32", "float64"]}}
    )
    claim = next(claims(database))
    with database.begin() as connection:
        first = claim.members[0]
        assert lifecycle.fail(connection, first.held, Reason.ERROR, EVIL, actor="worker")
        lifecycle.release(connection, claim.id, actor="worker")
    train(database)
    return made


def test_names_and_messages_of_a_batch_are_texts_in_lists_charts_and_their_tips(look: Look, batch: UUID) -> None:
    page = look("/batches")
    expect(page.get_by_role("link", name=EVIL)).to_be_visible()
    assert_nothing_is_made_of_texts(page)
    page.get_by_role("link", name=EVIL).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(EVIL)
    drawn(page)
    expect(page.locator("#live-head .why")).to_have_text(EVIL)
    expect(page.locator("#rows").get_by_role("link", name=EVIL)).to_have_count(4)
    expect(page.locator("#band .legend").get_by_text(EVIL)).to_have_count(3)
    expect(page.locator("#metric option", has_text=EVIL)).not_to_have_count(0)
    page.locator("#scatter canvas").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#scatter .tip")).to_contain_text(EVIL)


def test_names_of_compared_jobs_are_texts(look: Look, batch: UUID) -> None:
    page = look(f"/compare?batch={batch}")
    expect(page.locator("#curves")).to_have_attribute("data-drawn", "all")
    chart = page.locator("#curves svg.line-chart")
    chart.focus()
    page.keyboard.press("End")
    expect(page.locator("#curves .tip")).to_contain_text(EVIL)


def test_slots_hosts_and_pools_are_texts_and_so_is_what_is_asked_and_told_of_them(look: Look, seeded: Seeded) -> None:
    _, database, _ = seeded
    worker = worker_of(database, "cpu-5", lease=A_DAY)
    with database.begin() as connection:
        texts = {"host": HOST, "slot": HOST, "pool": EVIL}
        connection.execute(update(Worker).where(Worker.id == worker.id).values(texts))
    expect(look("/").locator("tr", has_text="onerror").first).to_be_visible()
    page = look("/workers")
    expect(page.get_by_role("heading", name=HOST)).to_be_visible()
    expect(page.locator("tr", has_text="pool").get_by_title(EVIL)).to_be_visible()
    page.get_by_role("button", name=f"Drain slot {HOST}").click()
    expect(page.locator("#ask-words")).to_contain_text(f"Drain slot {HOST}?")
    page.locator("#ask").get_by_role("textbox").fill(EVIL)
    page.locator("#ask").get_by_role("button", name="Yes").click()
    expect(page.locator("#notice")).to_contain_text(HOST)
    expect(page.get_by_role("button", name=f"Undrain slot {HOST}")).to_be_focused()
