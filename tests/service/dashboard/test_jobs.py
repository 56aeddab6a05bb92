"""The table of jobs: its address is its state."""

import re

import pytest
from flask.testing import FlaskClient

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from tests.actors import claimed, fails, submitted, succeeds, worker_of
from tests.service.dashboard.conftest import Look


def shown(page: str) -> list[str]:
    """The ids of the jobs in the table, in their order."""
    return re.findall(r'class="form-check-input choose" value="([^"]+)"', page)


def test_it_shows_the_newest_job_first_with_state_curve_tags_and_figures(
    look: Look, database: Database, settings: Settings
) -> None:
    old = submitted(database, settings, name="old", tags={"week": "3"})
    succeeds(database, claimed(database, worker_of(database)), [4.0, 3.0, 2.0, 1.25])
    new = submitted(database, settings)
    page = look("/jobs")
    assert shown(page) == [str(new), str(old)]
    assert '<span class="state succeeded"' in page
    assert page.count("<polyline") == 1
    assert 'href="/jobs?tag=week%3D3"' in page
    assert '<td class="num">1.25</td>' in page
    assert "no cpu worker" in page or "a worker is about to take it" in page


def test_a_question_an_order_and_columns_are_in_the_address(look: Look, database: Database, settings: Settings) -> None:
    worker = worker_of(database)
    ids = []
    for lowest in (3.0, 1.0, 2.0):
        ids.append(str(submitted(database, settings, seed=int(lowest))))
        succeeds(database, claimed(database, worker), [4.0, 4.0, 4.0, lowest])
    page = look("/jobs?where=loss_min+%3C+3&sort=loss_min&fields=loss_min,+seed")
    assert shown(page) == [ids[1], ids[2]]
    assert 'aria-sort="ascending"' in page
    assert re.search(r'href="/jobs\?where=[^"]*sort=-loss_min', page)
    assert '<td class="num">1</td>' in page
    assert ">learning_rate</a>" not in page


def test_a_question_that_cannot_be_read_is_told_beside_it(look: Look) -> None:
    page = look("/jobs?where=loss_min+%3C")
    assert 'aria-invalid="true"' in page
    assert "cannot be read" in page
    assert 'value="loss_min &lt;"' in page
    assert "All jobs of this question" not in page, "it could be another question than the one that was refused"
    assert "All jobs of this question" in look("/jobs?where=loss_min+%3C+1")


@pytest.mark.parametrize("query", ["sort=nothing", "fields=nothing", "batch=x", "state=x", "cursor=x", "colour=red"])
def test_what_is_wrong_in_an_address_is_told_above_an_empty_table(look: Look, query: str) -> None:
    page = look(f"/jobs?{query}")
    assert f"<code>{query.partition('=')[0]}</code>" in page
    assert shown(page) == []


def test_a_page_leads_to_the_next_one(look: Look, database: Database, settings: Settings) -> None:
    ids = [str(submitted(database, settings)) for _ in range(3)]
    first = look("/jobs?limit=2&state=queued")
    assert shown(first) == [ids[2], ids[1]]
    (address,) = re.findall(r'rel="next" href="([^"]+)"', first)
    second = look(address.replace("&amp;", "&"))
    assert shown(second) == [ids[0]]
    assert 'href="/jobs?limit=2&amp;state=queued">First page' in second


def test_a_page_has_25_rows_or_as_many_as_are_chosen(look: Look, database: Database, settings: Settings) -> None:
    for _ in range(27):
        submitted(database, settings)
    page = look("/jobs?state=queued")
    assert len(shown(page)) == 25
    assert '<b aria-current="true">25</b>' in page
    assert '<a href="/jobs?state=queued&amp;limit=50">50</a>' in page
    more = look("/jobs?state=queued&limit=50")
    assert len(shown(more)) == 27
    assert '<b aria-current="true">50</b>' in more
    assert '<a href="/jobs?state=queued">25</a>' in more


def test_empty_fields_of_the_form_ask_for_nothing(look: Look, database: Database, settings: Settings) -> None:
    job_id = str(submitted(database, settings))
    assert shown(look("/jobs?where=&stage=&fields=&state=")) == [job_id]


def test_failed_jobs_say_why(look: Look, database: Database, settings: Settings) -> None:
    submitted(database, settings)
    fails(database, claimed(database, worker_of(database)))
    assert "its code raised an error" in look("/jobs?state=failed")


def test_a_batch_is_a_table_of_its_jobs(
    look: Look, client: FlaskClient, database: Database, settings: Settings
) -> None:
    submitted(database, settings)
    batch = client.post("/v1/batches", json={"name": "rates", "jobs": [{"stage": "nn"}] * 2}).json["id"]  # type: ignore[index]
    page = look(f"/jobs?batch={batch}")
    assert len(shown(page)) == 2
    assert "of rates" in page


def test_a_service_without_jobs_says_how_to_make_one(look: Look) -> None:
    assert "There are no jobs yet" in look("/jobs")
    assert "No job is like that" in look("/jobs?state=failed")
