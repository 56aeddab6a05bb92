"""The page of the form, filled from a job, and what it takes from a browser without scripts."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from gradyard.store.tables import Batch, Job
from tests.actors import submitted
from tests.service.conftest import AppWith
from tests.service.dashboard.conftest import Look

HTML = {"Accept": "text/html"}
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
pytestmark = on_sqlite


def value_of(page: str, path: str) -> str:
    found = re.search(rf'data-path="{re.escape(path)}".*?<input[^>]* value="([^"]*)"', page, re.DOTALL)
    assert found
    return found[1]


def stored(database: Database) -> tuple[int, int]:
    with database.read() as connection:
        jobs, batches = (
            connection.execute(select(func.count()).select_from(each)).scalar_one() for each in (Job, Batch)
        )
    return jobs, batches


def send(client: FlaskClient, text: str, **headers: str) -> Any:
    return client.post("/submit", data={"spec": text}, headers=HTML | headers)


def test_stages_are_chosen_by_links_with_a_sentence_each(look: Look) -> None:
    page = look("/submit?stage=nn")
    assert "torch.optim updates the weights" in page
    assert 'data-stage="nn" aria-current="true"' in page
    assert 'placeholder="1e-6"' in page
    assert "must be one of" in look("/submit?stage=none", 422)


def test_a_job_fills_the_form_with_what_is_not_its_default(look: Look, database: Database, settings: Settings) -> None:
    job_id = submitted(
        database, settings, stage="optim", name='"evil"', tags={"week": "3"}, optimizer={"name": "adam", "beta1": 0.8}
    )
    page = look(f"/submit?from={job_id}")
    assert value_of(page, "name") == "&#34;evil&#34;"
    assert (value_of(page, "tags"), value_of(page, "steps"), value_of(page, "seed")) == ("week=3", "4", "")
    adam = page.partition('data-kind-name="adam"')[2]
    assert (value_of(adam, "optimizer.beta1"), value_of(adam, "optimizer.beta2")) == ("0.8", "")
    assert f'href="/submit?from={job_id}"' in look(f"/jobs/{job_id}")
    look("/submit?from=00000000", 404)


def test_a_form_without_scripts_submits_a_job_or_a_sweep_and_leads_to_its_page(
    client: FlaskClient, database: Database
) -> None:
    job = send(client, '{"stage": "nn", "steps": 3}')
    assert job.status_code == 303
    assert "nn" in client.get(job.headers["Location"], headers=HTML).text
    sweep = send(client, '{"spec": {"stage": "nn"}, "grid": {"seed": [1, 2]}}')
    assert sweep.headers["Location"].startswith("/batches/")
    assert stored(database) == (3, 1)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"stage": "nn", "steps": 0}', "<code>/steps</code> must be at least 1"),
        ('{"jobs": [{"stage": "nn"}, {"stage": "nn", "seed": -1}]}', "<code>/jobs/1/seed</code>"),
        ("{<b>", "is not JSON"),
        ("", "is not JSON"),
    ],
)
def test_what_is_refused_stands_above_the_text_that_was_sent(
    client: FlaskClient, database: Database, text: str, told: str
) -> None:
    refused = send(client, text)
    assert refused.status_code == 422
    assert told in refused.text
    assert (text.replace('"', "&#34;").replace("<", "&lt;").replace(">", "&gt;") + "</textarea>") in refused.text
    assert stored(database) == (0, 0)


def test_no_other_site_submits_by_a_persons_browser(
    client: FlaskClient, app_with: AppWith, database: Database, settings: Settings
) -> None:
    assert send(client, '{"stage": "nn"}', Origin="http://evil.example").status_code == 403
    assert stored(database) == (0, 0)


def test_a_key_that_may_only_look_has_no_such_page(client: FlaskClient) -> None:
    body = {"name": "reader", "scopes": ["jobs:read"]}
    key: Any = client.post("/v1/keys", json=body).json
    refused = client.get("/submit", headers=HTML | {"Authorization": f"Bearer {key['key']}"})
    assert refused.status_code == 403
    assert "jobs:write" in refused.text
    assert 'href="/submit"' not in refused.text


def test_a_text_that_turns_writing_around_stays_in_its_field_as_it_was_sent(
    look: Look, database: Database, settings: Settings
) -> None:
    job_id = submitted(database, settings, name="a\u202eb", tags={"week": "3\u202e"})
    form = look(f"/submit?from={job_id}")
    assert 'value="a\u202eb"' in form
    assert 'value="week=3\u202e"' in form
    asked = look("/jobs?where=name+==+'a%E2%80%AEb'&name=%E2%80%AE")
    assert 'value="name == &#39;a\u202eb&#39;"' in asked
    assert 'name="name" value="\u202e"' in asked
