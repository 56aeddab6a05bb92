"""What the charts of a batch draw: its runs as columns, and the band of its curves."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import numpy as np
import orjson
import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, update
from sqlalchemy.engine import Engine

from gradyard.jobs.settings import Settings
from gradyard.jobs.states import Reason
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.tables import Job
from service.dashboard.batches import charts
from tests.actors import claimed, progress_of, succeeds, worker_of

GRID = {"learning_rate": [1e-6, 1e-5], "optimizer.momentum": [0.0, 0.9]}
Get = Callable[..., Any]


@pytest.fixture
def batch(client: FlaskClient) -> str:
    sweep = {"name": "rates", "spec": {"stage": "optim", "steps": 4, "optimizer": {"name": "sgd"}}, "grid": GRID}
    return str(client.post("/v1/batches", json=sweep).json["id"])  # type: ignore[index]


@pytest.fixture
def get(client: FlaskClient) -> Get:
    def ask(path: str, status: int = 200) -> Any:
        response = client.get(path, headers={"Accept": "application/json"})
        assert response.status_code == status, response.text
        return orjson.loads(response.data)

    return ask


def test_each_run_has_its_state_outcome_and_the_parameters_that_differ(
    get: Get, database: Database, batch: str
) -> None:
    worker = worker_of(database)
    claim = claimed(database, worker)
    with database.begin() as connection:
        for number, member in enumerate(claim.members):
            assert lifecycle.record(connection, progress_of(member, [9.0, 8.0, 1.0 + number, 7.0]))
            assert lifecycle.fail(connection, member.held, Reason.DIVERGED, "grew", actor="worker")
        lifecycle.release(connection, claim.id, actor="worker")
    failed = len(claim.members)
    found = get(f"/batches/{batch}/runs")
    assert set(found["parameters"]) == {"learning_rate", "optimizer.momentum"}
    pairs = sorted(zip(found["parameters"]["learning_rate"], found["parameters"]["optimizer.momentum"], strict=True))
    assert pairs == [(1e-6, 0.0), (1e-6, 0.9), (1e-5, 0.0), (1e-5, 0.9)]
    assert found["states"].count("failed") == failed
    assert found["reasons"].count("diverged") == failed
    assert (found["metric"], found["mode"]) == ("loss_last", "min")
    assert [each for each in found["outcome"] if each is not None] == [7.0] * failed
    by_minimum = get(f"/batches/{batch}/runs?metric=loss_min")
    assert min(each for each in by_minimum["outcome"] if each is not None) == 1.0


def test_of_many_parameters_those_that_matter_most_are_drawn_and_the_number_of_others_is_told(
    get: Get, batch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(charts, "MOST_PARAMETERS", 1)
    monkeypatch.setattr(charts, "importance", lambda *_: {"learning_rate": 0.1, "optimizer.momentum": 0.9})
    found = get(f"/batches/{batch}/runs")
    assert (set(found["parameters"]), found["left_out"]) == ({"optimizer.momentum"}, 1)
    assert found["importance"] == {"optimizer.momentum": 0.9}


def test_a_question_holds_for_runs_and_band(get: Get, database: Database, batch: str) -> None:
    while any(state == "queued" for state in get(f"/batches/{batch}/runs")["states"]):
        succeeds(database, claimed(database, worker_of(database)))
    asked = get(f"/batches/{batch}/runs?where=learning_rate+<+0.000002")
    assert (len(asked["ids"]), set(asked["parameters"])) == (2, {"optimizer.momentum"})
    band = get(f"/batches/{batch}/band?where=learning_rate+<+0.000002")
    assert (band["read"], band["having"], band["steps"], band["runs"]) == (2, 2, [0, 1, 2, 3], [2] * 4)
    assert band["quantiles"]["50"] == [4.0, 3.0, 2.0, 1.0]
    assert get(f"/batches/{batch}/band")["having"] == 4


def test_the_band_has_the_quantiles_of_the_stored_curves(get: Get, database: Database, batch: str) -> None:
    worker, random = worker_of(database), np.random.default_rng(1)
    curves: list[np.ndarray] = []
    while len(curves) < 4:
        claim = claimed(database, worker)
        with database.begin() as connection:
            for member in claim.members:
                curves.append(random.lognormal(size=4).astype(np.float32))
                assert lifecycle.record(connection, progress_of(member, curves[-1].tolist()))
    band = get(f"/batches/{batch}/band")
    for share, found in band["quantiles"].items():
        np.testing.assert_allclose(found, np.quantile(np.array(curves, np.float64), float(share) / 100, axis=0))


def test_a_running_job_is_a_run_with_its_figures_so_far(get: Get, database: Database, batch: str) -> None:
    claim = claimed(database, worker_of(database))
    with database.begin() as connection:
        assert lifecycle.record(connection, progress_of(claim.members[0], [9.0, 5.0]))
    found = get(f"/batches/{batch}/runs")
    place = found["ids"].index(str(claim.members[0].held.job_id))
    assert (found["states"][place], found["outcome"][place]) == ("running", 5.0)


def test_a_job_that_was_replaced_is_no_run(get: Get, database: Database, batch: str) -> None:
    first = get(f"/batches/{batch}/runs")["ids"][0]
    with database.begin() as connection:
        connection.execute(update(Job).where(Job.id == UUID(first)).values(replaced_by=UUID(int=7)))
    assert first not in get(f"/batches/{batch}/runs")["ids"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("where=loss_min+<", "cannot be read"), ("metric=metrics", "metric"), ("mode=best", "min"),
        ("colour=1", "parameter"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused_in_words(get: Get, batch: str, query: str, words: str) -> None:
    assert words in str(get(f"/batches/{batch}/runs?{query}", 422))


def test_as_many_statements_are_asked_for_one_run_as_for_many(
    get: Get, client: FlaskClient, database: Database, settings: Settings
) -> None:
    small, large = (
        client.post("/v1/batches", json={"spec": {"stage": "nn"}, "grid": {"seed": list(range(count))}}).json["id"]  # type: ignore[index]
        for count in (2, 300)
    )
    for path in ("runs", "band"):
        counts = [_statements(get, f"/batches/{each}/{path}") for each in (small, large)]
        assert counts[0] == counts[1]


def _statements(get: Get, path: str) -> int:
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        get(path)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    return len(seen)


def test_a_batch_of_others_is_not_found(get: Get) -> None:
    assert get(f"/batches/{UUID(int=99)}/runs", 404)["status"] == 404


@pytest.mark.parametrize("path", ["runs", "band"])
def test_a_few_charts_are_made_at_a_time_and_a_refusal_says_when_to_ask_again(
    client: FlaskClient, batch: str, path: str
) -> None:
    places = client.application.extensions["gradyard"].chart_places
    for project in (1, 1, 2, 3):
        places.take(project)
    refused: Any = client.get(f"/batches/{batch}/{path}", headers={"Accept": "application/json"})
    assert (refused.status_code, refused.json["type"]) == (503, "too_many_charts")
    assert "Retry-After" in refused.headers
    places.give_back(1)
    assert client.get(f"/batches/{batch}/{path}").status_code == 200
    assert places.taken() == 3, "an answer gives its place back"
