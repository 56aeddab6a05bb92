"""Lists that are short as a rule come in pages: without parameters in one, as before, and `next_cursor` is null."""

from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from tests.actors import claimed, submitted, succeeds, worker_of
from tests.service.test_reading import get

ROUTES = {
    "workers": "/v1/workers",
    "keys": "/v1/keys",
    "events": "/v1/jobs/{job}/events",
    "logs": "/v1/jobs/{job}/logs",
}


@pytest.fixture
def job(client: FlaskClient, database: Database, settings: Settings) -> str:
    """A job with events and logs, beside workers and keys: three of each."""
    made = str(submitted(database, settings))
    for number in range(3):
        client.post("/v1/keys", json={"name": f"k{number}"})
        worker = worker_of(database, f"cpu-{number}")
    succeeds(database, claimed(database, worker))
    return made


@pytest.mark.parametrize("name", ROUTES)
def test_pages_follow_one_another(client: FlaskClient, job: str, name: str) -> None:
    path = ROUTES[name].format(job=job)
    whole = get(client, path)
    assert whole["next_cursor"] is None
    found, parameters = list[dict[str, Any]](), {"limit": "2"}
    while True:
        page = get(client, f"{path}?{urlencode(parameters)}")
        found += page[name]
        assert len(page[name]) <= 2
        if page["next_cursor"] is None:
            break
        parameters["cursor"] = page["next_cursor"]
    assert len(found) == (0 if name == "logs" else 3)
    assert found == whole[name]


@pytest.mark.parametrize("name", ROUTES)
def test_a_wrong_cursor_or_limit_is_refused_with_its_place(client: FlaskClient, job: str, name: str) -> None:
    path = ROUTES[name].format(job=job)
    for parameter, value in (("cursor", "x"), ("limit", "0"), ("limit", "1001")):
        refusal = client.get(f"{path}?{parameter}={value}")
        assert refusal.status_code == 422
        assert refusal.json is not None
        assert [each["pointer"] for each in refusal.json["errors"]] == [f"/{parameter}"]
