"""The check of the form answers 200 to what is not valid, with the problems of the API, and stores nothing."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from gradyard.store.database import Database
from tests.service.dashboard.submission.test_page import stored

SWEEP = {"spec": {"stage": "nn"}, "grid": {}, "random": {"learning_rate": {"low": 1e-6, "high": 1e-2}}, "samples": 4}


def compared(answer: Any) -> Any:
    return {name: value for name, value in answer.json.items() if name not in ("instance", "request_id")}


@pytest.mark.parametrize("query", ["", "?precedence=3", "?precedence=101"])
@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("jobs", {"stage": "nn", "steps": 5}), ("jobs", {"stage": "nn", "steps": 0}), ("jobs", {"stage": "none"}),
        ("batches", SWEEP), ("batches", SWEEP | {"samples": 0}), ("batches", SWEEP | {"grid": {"steps": [1, 0]}}),
    ],
)  # fmt: skip
def test_it_says_what_a_dry_run_says(
    client: FlaskClient, database: Database, route: str, body: dict[str, Any], query: str
) -> None:
    checked = client.post(f"/submit/check{query}", json=body)
    dry = client.post(f"/v1/{route}{query or '?'}{'&' if query else ''}dry_run=true", json=body)
    assert checked.status_code == 200
    assert compared(checked) == compared(dry)
    assert (compared(checked).get("status") == 422) == (dry.status_code == 422)
    assert stored(database) == (0, 0)


def test_what_is_no_json_is_refused(client: FlaskClient) -> None:
    for body in ("{", "7]", ""):
        sent = client.post("/submit/check", data=body, headers={"Content-Type": "application/json"})
        assert sent.status_code == 400
