"""Charts under a person's hands: metrics below the loss, fingers on a screen, the curves of a model."""

from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from gradyard.jobs.settings import Settings
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.lifecycle import Outcome
from tests.actors import claimed_with, progress_of, submitted, worker_of
from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
STEPS = 400
LOSSES = [float(loss) for loss in 100 * np.exp(-np.arange(STEPS) / 60) + 1]
SHARES = np.linspace(0.0, 0.9, STEPS)  # of right answers: it begins at 0, which has no place on a logarithmic axis
Seeded = tuple[str, Database, Settings]


@pytest.fixture(scope="module")
def url(seeded: Seeded) -> str:
    """The address of the service."""
    return seeded[0]


def trained(seeded: Seeded, stage: str, letters: str, metrics: dict[str, np.ndarray] | None = None) -> UUID:
    """A job of the stage that succeeded, with these metrics of each step."""
    _, database, settings = seeded
    job_id = submitted(database, settings, stage=stage, steps=STEPS, priority=100)
    claim = claimed_with(database, worker_of(database, f"cpu-{stage}"), job_id)
    (member,) = (each for each in claim.members if each.id == job_id)
    with database.begin() as connection:
        assert lifecycle.record(connection, replace(progress_of(member, LOSSES), metrics=metrics or {}))
        outcome = Outcome(dict.fromkeys(letters, 0.5), "y = 0.5", {"engine": "eager"})
        assert lifecycle.succeed(connection, member.held, outcome, actor="worker")
    return job_id


@pytest.fixture(scope="module")
def measured(seeded: Seeded) -> UUID:
    """A job with a metric."""
    return trained(seeded, "tensor", "abcd", {"accuracy": SHARES})


def test_metrics_have_an_axis_of_their_own_and_the_range_of_the_loss(open_page: OpenPage, measured: UUID) -> None:
    page = open_page(f"/jobs/{measured}", viewport=DESK)
    page.get_by_role("button", name="accuracy").click()
    metrics = page.get_by_role("application", name="Metrics by step")
    expect(metrics).to_have_attribute("data-values", str(STEPS))
    expect(page.locator(".legend", has_text="accuracy")).to_be_visible()
    expect(page.get_by_role("application", name="Loss by step").locator(".line")).to_have_count(1)
    metrics.focus()
    page.keyboard.press("Home")
    expect(page.locator("figure", has=metrics).locator(".tip")).to_have_text("step 00")
    page.keyboard.press("+")
    for chart in ("Loss", "Metrics"):
        zoomed = page.get_by_role("application", name=f"{chart} by step")
        expect(zoomed).not_to_have_attribute("data-values", str(STEPS))
    page.get_by_role("button", name="accuracy").click()
    expect(metrics).to_be_hidden()


class Fingers:
    """Fingers on the screen of a page."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)

    def __call__(self, kind: str, *places: tuple[float, float]) -> None:
        """Put them at these places of the window: `touchStart`, `touchMove`; `touchEnd` leaves those that stay."""
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_two_fingers_choose_a_range_and_one_chooses_none(open_page: OpenPage, measured: UUID) -> None:
    page = open_page(f"/jobs/{measured}", viewport=PHONE, has_touch=True)
    chart = page.get_by_role("application", name="Loss by step")
    expect(chart).to_have_attribute("data-values", str(STEPS))
    box = chart.bounding_box()
    assert box is not None
    left, middle, y = box["x"] + box["width"] * 0.4, box["x"] + box["width"] * 0.7, box["y"] + 80
    touches = Fingers(page)
    touches("touchStart", (left, y))
    touches("touchMove", (middle, y))
    touches("touchEnd")
    expect(page.locator(".tip").first).to_contain_text("step")
    expect(chart).to_have_attribute("data-values", str(STEPS))
    touches("touchStart", (left, y), (left + 20, y))
    touches("touchMove", (left, y), (middle, y))
    touches("touchEnd", (left, y))
    touches("touchEnd")
    expect(chart).not_to_have_attribute("data-values", str(STEPS))
    assert 100 < int(chart.get_attribute("data-values") or 0) < 200, "three tenths of the width, and its margins"


def test_a_model_of_changing_order_has_a_curve_for_each_and_points_are_points_in_the_legend(
    open_page: OpenPage, seeded: Seeded
) -> None:
    page = open_page(f"/jobs/{trained(seeded, 'dynamic', 'abcde')}", viewport=DESK)
    model = page.get_by_role("application", name="The data and the fitted curve")
    expect(model.locator(".line")).to_have_count(3)
    legend = page.locator(".legend", has_text="with e x⁴ + e x⁵").locator("li")
    expect(legend).to_have_text(["data", "cubic", "with e x⁴", "with e x⁴ + e x⁵"])
    expect(legend.and_(page.locator(".dots"))).to_have_text(["data"])


def test_charts_are_drawn_anew_where_the_system_turns_dark(open_page: OpenPage, measured: UUID) -> None:
    page = open_page(f"/jobs/{measured}", viewport=DESK, color_scheme="light")
    expect(page.get_by_role("application", name="Loss by step")).to_be_visible()
    page.evaluate("document.addEventListener('theme', () => { window.turned = true; })")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("window.turned === true")
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
