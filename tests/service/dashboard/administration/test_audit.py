"""The audit: what people did, by whom, of all projects; filters and pages."""

import re

from flask.testing import FlaskClient

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from tests.actors import worker_of
from tests.service.dashboard.conftest import Look


def test_what_was_done_is_told_the_newest_first(look: Look, client: FlaskClient, database: Database) -> None:
    worker_of(database)
    client.post("/v1/keys", json={"name": "ada", "project": "physics"})
    client.post("/v1/workers/cpu-0@host/drain", json={"reason": "a new disk"})
    page = look("/audit")
    assert page.index("> drained</span>") < page.index("> key created</span>")
    assert "cpu-0@host" in page
    assert "a new disk" in page
    assert "the administrator" in page
    assert "of all projects" in page


def test_it_is_asked_by_action_actor_and_project(look: Look, client: FlaskClient) -> None:
    client.post("/v1/keys", json={"name": "ada", "project": "physics"})
    client.post("/v1/queues/cpu/pause", json={})
    assert "key created</span>" not in look("/audit?action=paused")
    assert "key created</span>" in look("/audit?action=key_created&actor=api")
    assert "No entry is like that" in look("/audit?actor=api:ada@physics")
    assert "of project physics" in look("/audit?project=physics")


def test_its_pages_keep_what_is_asked_for(look: Look, client: FlaskClient) -> None:
    for number in range(3):
        client.post("/v1/queues/cpu/pause", json={"reason": f"reason {number}"})
    first = look("/audit?action=paused&limit=2")
    assert "reason 1" in first
    assert "reason 0" not in first
    (following,) = re.findall(r'rel="next" href="([^"]*)"', first)
    assert "action=paused" in following
    second = look(following.replace("&amp;", "&"))
    assert "reason 0" in second
    assert "reason 1" not in second


def test_an_empty_one_says_so(look: Look, settings: Settings) -> None:
    assert "Nothing is in the audit yet" in look("/audit")
