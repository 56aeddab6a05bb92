"""Projects side by side, for operators: their jobs by state, their keys, what they store."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from gradyard.store.tables import Project
from tests.actors import claimed, fails, submitted, submitted_to, succeeds, worker_of
from tests.service.dashboard.conftest import Look


@pytest.fixture
def three(database: Database, settings: Settings) -> None:
    """The default project has one job that waits and one that succeeded, `bio <b>` a newer that failed; `none` none."""
    with database.begin() as connection:
        connection.execute(insert(Project), [{"id": 2, "name": "bio <b>"}, {"id": 3, "name": "none"}])
    worker = worker_of(database)
    submitted(database, settings)
    succeeds(database, claimed(database, worker))
    submitted_to(2, database, settings)
    fails(database, claimed(database, worker))
    submitted(database, settings)
    submitted_to(2, database, settings)


def test_each_project_tells_its_jobs_by_state(look: Look, three: None) -> None:
    page = look("/projects")
    rows = page.split("<tr>")[2:]
    names = [row.split('">', 2)[2].partition("</a>")[0] for row in rows]
    assert names == ["bio &lt;b&gt;", "default", "none"], "the one with the newest job first"
    assert 'aria-label="0 succeeded, 1 failed, 0 cancelled, 0 running, 1 queued"' in rows[0]
    assert 'aria-label="1 succeeded, 0 failed, 0 cancelled, 0 running, 1 queued"' in rows[1]
    assert 'href="/jobs?project=default&amp;state=queued">1<' in rows[1]
    assert "state=failed" not in rows[1]
    assert '<span class="quiet">none</span>' in rows[2]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_keys_that_open_a_project_are_counted_and_revoked_ones_are_not(
    look: Look, client: FlaskClient, three: None
) -> None:
    made = [client.post("/v1/keys", json={"name": name, "project": "none"}).json for name in ("one", "two")]
    assert made[0] is not None
    client.delete(f"/v1/keys/{made[0]['id']}")
    assert 'href="/keys?project=none">1<' in look("/projects")
    assert "/bogus" in look("/projects?bogus=1", 422)
