"""Curves come as few points of JSON, or whole as CSV or NPY, digit for digit."""

import io
import json
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from flask.testing import FlaskClient

from gradyard.jobs.curves import Summary
from gradyard.jobs.settings import Settings
from gradyard.jobs.states import Reason
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.lifecycle import Progress
from tests.actors import claimed, submitted, worker_of

FORMS = ["application/json", "application/x-npy", "text/csv"]
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def trained(database: Database, settings: Settings, losses: np.ndarray, dtype: str = "float32") -> UUID:
    """A failed job with these losses, recorded in two chunks."""
    job_id = submitted(database, settings, steps=max(1, len(losses)), dtype=dtype)
    [member] = claimed(database, worker_of(database)).members
    half, summary = len(losses) // 2, Summary()
    with database.begin() as connection:
        for start, chunk in ((0, losses[:half]), (half, losses[half:])):
            summary.take(chunk, start)
            lifecycle.record(connection, Progress(member.held, start, chunk, summary))
        reason, step = Reason.DIVERGED, len(losses)
        lifecycle.fail(connection, member.held, reason, "it diverged", actor="worker", diverged_at=step)
    return job_id


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_form_has_the_same_numbers(
    client: FlaskClient, database: Database, settings: Settings, dtype: str
) -> None:
    losses = (np.random.default_rng(1).normal(size=50) * 10.0 ** np.arange(-25, 25)).astype(dtype)
    path = f"/v1/jobs/{trained(database, settings, losses, dtype)}/losses"
    shown: Any = client.get(path).json
    assert shown["steps"] == list(range(50))
    assert np.array_equal(np.array(shown["losses"], dtype=dtype), losses)
    file = client.get(path, headers={"Accept": "application/x-npy"})
    array = np.load(io.BytesIO(file.data), allow_pickle=False)
    assert (array.dtype, np.array_equal(array, losses)) == (np.dtype(dtype), True)
    header, *lines = client.get(path, headers={"Accept": "text/csv"}).text.splitlines()
    assert header == "step,loss"
    steps, digits = zip(*(line.split(",") for line in lines), strict=True)
    assert list(steps) == [str(step) for step in range(50)]
    assert np.array_equal(np.array(digits, dtype=dtype), losses)


@on_sqlite
def test_json_has_at_most_so_many_points_and_keeps_the_extremes(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    losses = np.linspace(9, 1, 25_000, dtype=np.float32)
    losses[777], losses[20_001] = 100, -100
    path = f"/v1/jobs/{trained(database, settings, losses)}/losses"
    for points, most in (("", 1000), ("?points=50", 50), ("?points=2", 2)):
        shown: Any = client.get(path + points).json
        assert len(shown["steps"]) == len(shown["losses"]) <= most
        assert (shown["steps"][0], shown["steps"][-1]) == (0, 24_999)
        if most > 2:
            assert {777, 20_001} < set(shown["steps"])
    csv = client.get(path, headers={"Accept": "text/csv"}).text
    assert csv.count("\n") == 25_001  # every step, over more than one block


@on_sqlite
def test_a_diverged_job_has_its_finite_part_and_no_null(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    losses = np.array([1.0, 1e30, 3.4e38], dtype=np.float32)
    job_id = trained(database, settings, losses)
    shown = client.get(f"/v1/jobs/{job_id}/losses").text
    assert "null" not in shown
    assert np.array_equal(np.array(json.loads(shown)["losses"], dtype=np.float32), losses)
    job: Any = client.get(f"/v1/jobs/{job_id}").json
    assert (job["state"], job["reason"], job["result"]["loss"]["diverged_at"]) == ("failed", "diverged", 3)


@pytest.mark.parametrize("form", FORMS)
def test_a_job_without_losses_has_an_empty_curve(
    client: FlaskClient, database: Database, settings: Settings, form: str
) -> None:
    response = client.get(f"/v1/jobs/{submitted(database, settings)}/losses", headers={"Accept": form})
    assert (response.status_code, response.mimetype, response.headers["Vary"]) == (200, form, "Accept")
    if form == "application/json":
        assert response.json == {"steps": [], "losses": []}


@on_sqlite
@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, "application/json"), ("*/*", "application/json"), ("text/*", "text/csv"), ("image/png", None),
        ("text/csv;q=0.5, application/x-npy", "application/x-npy"), ("application/json;q=0", None),
        ("text/html, */*;q=0.1", "application/json"),
    ],
)  # fmt: skip
def test_the_form_is_the_one_that_is_asked_for(
    client: FlaskClient, database: Database, settings: Settings, accept: str | None, form: str | None
) -> None:
    headers = {} if accept is None else {"Accept": accept}
    response = client.get(f"/v1/jobs/{submitted(database, settings)}/losses", headers=headers)
    assert (response.status_code, response.mimetype) == ((200, form) if form else (406, "application/problem+json"))


@on_sqlite
@pytest.mark.parametrize("points", ["1", "100001", "x", "2.5", ""])
def test_a_wrong_number_of_points_is_refused(
    client: FlaskClient, database: Database, settings: Settings, points: str
) -> None:
    response = client.get(f"/v1/jobs/{submitted(database, settings)}/losses?points={points}")
    assert response.status_code == 422
