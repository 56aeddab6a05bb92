"""What people come to the page for, from its first page on, in clicks: the table in docs/page.md."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import insert, update

from gradyard.jobs.settings import Settings
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.tables import AttemptLog, Worker
from tests.actors import claimed, fails, progress_of, submitted, worker_of
from tests.browser.conftest import OpenPage
from tests.browser.test_batches import stored

pytestmark = pytest.mark.browser

A_DAY = 86_400.0
RATES = [1e-6, 1e-5, 1e-4, 1e-3]
WHY = "torch.OutOfMemoryError: tried to allocate 2.00 GiB"
TABLE = Path(__file__).parents[2] / "docs" / "page.md"


class Hand:
    """A person at a page, who counts."""

    def __init__(self, page: Page) -> None:
        self.page, self.clicks, self.typed = page, 0, 0

    def click(self, target: Locator) -> None:
        target.click()
        self.clicks += 1

    def type(self, target: Locator, text: str) -> None:
        target.fill(text)
        self.typed += 1

    def told(self) -> str:
        """As the table has it."""
        return f"{self.clicks}, 1 field" if self.typed else str(self.clicks)


@pytest.fixture(scope="module")
def url(seeded: tuple[str, Database, Settings]) -> str:
    """A service with a sweep that has ended, a job that failed, a GPU that trains, and a batch that waits for it."""
    origin, database, settings = seeded
    rates: Any = {"learning_rate": RATES}
    stored(database, settings, {"name": "rates", "spec": {"stage": "optim", "steps": 30}, "grid": rates})
    claim = claimed(database, worker_of(database))
    with database.begin() as connection:
        for member in claim.members:
            losses = (1e-4 / member.spec["learning_rate"] + 100 * np.exp(-np.arange(30) / 5)).tolist()
            assert lifecycle.record(connection, progress_of(member, losses))
            outcome = lifecycle.Outcome({"a": 1.0}, "y = 1", {"engine": "eager"})
            assert lifecycle.succeed(connection, member.held, outcome, actor="worker")
        lifecycle.release(connection, claim.id, actor="worker")
    failed = submitted(database, settings, name="too large")
    fails(database, claimed(database, worker_of(database, "cpu-1")))
    gpu = worker_of(database, "gpu-0", "gpu", lease=A_DAY)
    submitted(database, settings, name="on the GPU", device="gpu", stage="nn")
    claimed(database, gpu, A_DAY)
    with database.begin() as connection:
        row = {"job_id": failed, "project_id": 1, "attempt": 1, "text": WHY, "truncated": False}
        connection.execute(insert(AttemptLog).values(row))
        figures = {"device_name": "NVIDIA H100", "utilization_percent": 97.0}
        connection.execute(update(Worker).where(Worker.id == gpu.id).values(figures))
    stored(database, settings, {"name": "to be cancelled", "jobs": [{"stage": "nn", "device": "gpu"}] * 3})
    return origin


def counts(task: str) -> str:
    """Our count in the table of docs/page.md."""
    found = re.search(rf"^\| {re.escape(task)} \| ([^|]+) \|", TABLE.read_text(), re.MULTILINE)
    assert found, task
    return found[1].strip()


def test_the_best_run_of_a_sweep_and_its_rate_are_seen(open_page: OpenPage, url: str) -> None:
    hand = Hand(open_page("/"))
    hand.click(hand.page.get_by_role("link", name="Batches", exact=True))
    sweep = hand.page.get_by_role("row").filter(has=hand.page.get_by_role("link", name="rates"))
    expect(sweep).to_contain_text("learning_rate 0.001")
    assert hand.told() == counts("best run of a sweep, and its rate")


def test_why_a_job_failed_is_seen(open_page: OpenPage, url: str) -> None:
    hand = Hand(open_page("/"))
    expect(hand.page.get_by_text("its code raised an error")).to_be_visible()
    hand.click(hand.page.get_by_role("link", name="too large"))
    expect(hand.page.get_by_text(WHY)).to_be_visible()
    assert hand.told() == counts("why did it fail: the reason, and what it printed")


def test_three_curves_are_compared(open_page: OpenPage, url: str) -> None:
    hand = Hand(open_page("/"))
    hand.click(hand.page.get_by_role("link", name="Jobs", exact=True))
    boxes = hand.page.locator("tr", has_text="succeeded").locator(".choose")
    for number in range(3):
        hand.click(boxes.nth(number))
    hand.click(hand.page.get_by_role("button", name="Compare"))
    expect(hand.page.locator("#curves path.line")).to_have_count(3)
    assert hand.told() == counts("compare three curves")


def test_a_batch_is_cancelled(open_page: OpenPage, url: str) -> None:
    hand = Hand(open_page("/"))
    hand.click(hand.page.get_by_role("link", name="to be cancelled"))
    hand.click(hand.page.get_by_role("button", name="Cancel"))
    hand.click(hand.page.get_by_role("button", name="Yes"))
    expect(hand.page.locator("#live-head .states")).to_contain_text("3 of 3 have ended")
    assert hand.told() == counts("cancel a batch")


def test_what_a_gpu_does_is_seen(open_page: OpenPage, url: str) -> None:
    hand = Hand(open_page("/"))
    slot = hand.page.locator("tr", has_text="gpu-0")
    expect(slot).to_contain_text("on the GPU")
    expect(slot).to_contain_text("NVIDIA H100 · 97 %")
    assert hand.told() == counts("what is this GPU doing")


def test_a_job_is_submitted_again_with_another_rate(open_page: OpenPage, url: str) -> None:
    hand = Hand(open_page("/"))
    hand.click(hand.page.get_by_role("link", name="Jobs", exact=True))
    hand.click(hand.page.locator("tr", has_text="succeeded").get_by_role("link", name="optim").first)
    hand.click(hand.page.get_by_text("Submit again with changes"))
    hand.type(hand.page.locator("[data-path=learning_rate] input"), "0.25")
    hand.click(hand.page.get_by_role("button", name="Submit", exact=True))
    hand.page.wait_for_url(re.compile("/jobs/[0-9a-f-]{36}"))
    hand.page.get_by_text(re.compile(r'"learning_rate": 0\.25')).wait_for(state="attached")
    assert hand.told() == counts("submit again with another rate")


def test_the_table_has_one_row_for_each_task() -> None:
    rows = re.findall(r"^\| ([^|]+) \| \d[^|]* \| .*\|$", TABLE.read_text().partition("## In clicks")[2], re.MULTILINE)
    assert len(rows) == 6, rows
