"""What is done to all jobs of a question is done to those on every page of it, and to no other."""

from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from gradyard.jobs.settings import Settings
from gradyard.store import queries
from gradyard.store.database import Database
from tests.actors import submitted
from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser

Seeded = tuple[str, Database, Settings]


@pytest.fixture(scope="module")
def url(seeded: Seeded) -> str:
    """The address of the service."""
    return seeded[0]


def begin(page: Page, verb: str, words: str) -> None:
    """Press the button of that verb, and read the question."""
    if not page.get_by_role("button", name="Cancel all").is_visible():
        page.get_by_text("All jobs of this question").click()
    expect(page.locator("#ask")).to_be_hidden()  # its words stay from the question before
    page.get_by_role("button", name=f"{verb} all").click()
    expect(page.locator("#ask")).to_be_visible()  # once the jobs are counted: before, no key is for it
    expect(page.locator("#ask-words")).to_contain_text(words)


def agree(page: Page, told: str) -> None:
    page.locator("#ask").get_by_role("button", name="Yes").click()
    expect(page.locator("#notice")).to_have_text(told)


def states_of(database: Database, job_ids: list[UUID]) -> list[str | None]:
    with database.read() as connection:
        return [queries.state_of(connection, 1, job_id) for job_id in job_ids]


def test_all_jobs_of_a_question_are_cancelled_submitted_again_and_deleted(open_page: OpenPage, seeded: Seeded) -> None:
    _, database, settings = seeded
    made = [submitted(database, settings, tags={"course": "w11"}) for _ in range(3)]
    other = [submitted(database, settings, tags={"course": "another"})]
    page = open_page("/jobs?tag=course%3Dw11&limit=2")
    expect(page.locator(".choose")).to_have_count(2)  # of three: the third is on the next page
    begin(page, "Cancel", "Cancel all 3 jobs of this question?")
    agree(page, "3 of 3 cancelled.")
    expect(page.locator("td .state.cancelled")).to_have_count(2)
    begin(page, "Retry", "Retry all 3 jobs of this question?")
    agree(page, "3 of 3 submitted again.")
    expect(page.locator("td .state.queued")).to_have_count(2)  # the newest
    page.goto("/jobs?tag=course%3Dw11&state=cancelled")
    begin(page, "Delete", "Delete all 3 jobs of this question? Their results and curves are lost.")
    agree(page, "3 of 3 deleted.")
    expect(page.get_by_text("No job is like that")).to_be_visible()
    page.goto("/jobs?tag=course%3Dw11")
    expect(page.locator("td .state.queued")).to_have_count(3)
    assert states_of(database, made + other) == [None, None, None, "queued"]


def test_all_jobs_of_a_question_are_tagged(open_page: OpenPage, seeded: Seeded) -> None:
    _, database, settings = seeded
    for number in range(3):
        submitted(database, settings, name=f"many {number}", tags={'a "quoted" key': "of a\\value"})
    page = open_page("/jobs")
    page.get_by_role("link", name='a "quoted" key').first.click()
    expect(page.locator(".choose")).to_have_count(3)
    begin(page, "Tag", "Tag all 3 jobs of this question.")
    page.get_by_label("Tag, as key=value").fill("course=w10")
    agree(page, "3 of 3 tagged.")
    expect(page.get_by_role("link", name="course=w10")).to_have_count(3)


def test_who_says_no_changes_no_job_of_the_question(open_page: OpenPage, seeded: Seeded) -> None:
    _, database, settings = seeded
    made = [submitted(database, settings, name="kept") for _ in range(2)]
    page = open_page('/jobs?where=name+%3D%3D+"kept"')
    begin(page, "Cancel", "Cancel all 2 jobs")
    page.locator("#ask").get_by_role("button", name="No").click()
    begin(page, "Cancel", "Cancel all 2 jobs")
    page.keyboard.press("Escape")
    expect(page.locator("#ask")).to_be_hidden()
    assert states_of(database, made) == ["queued"] * 2


def test_nothing_is_done_where_the_question_finds_other_jobs_than_it_said(open_page: OpenPage, seeded: Seeded) -> None:
    _, database, settings = seeded
    made = [submitted(database, settings, name="counted")]
    page = open_page("/jobs?name=counted", expected=("409",))
    begin(page, "Cancel", "Cancel all 1 jobs")
    made.append(submitted(database, settings, name="counted"))
    page.locator("#ask").get_by_role("button", name="Yes").click()
    expect(page.locator("#notice")).to_contain_text("2 jobs satisfy the question, not 1")
    assert states_of(database, made) == ["queued"] * 2


def test_without_a_question_nothing_is_done_to_all_jobs(open_page: OpenPage, seeded: Seeded) -> None:
    _, database, settings = seeded
    made = [submitted(database, settings)]
    page = open_page("/jobs")
    page.get_by_text("All jobs of this question").click()
    page.get_by_role("button", name="Delete all").click()
    expect(page.locator("#notice")).to_contain_text("Ask a question first")
    expect(page.locator("#ask")).to_be_hidden()
    assert states_of(database, made) == ["queued"]
