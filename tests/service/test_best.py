"""The best jobs of a batch and of any question, by the metric of the request or by that of their stage."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, event

from gradyard.jobs.settings import Settings
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.lifecycle import Outcome
from tests.actors import claimed, fails, progress_of, submitted, worker_of
from tests.jobs.stages_for_tests import with_aims

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
Metrics = dict[str, Sequence[float]]


def ended(
    database: Database, settings: Settings, losses: list[float], metrics: Metrics | None = None, **spec: Any
) -> UUID:
    """A job that succeeded with these losses; a metric's last value is that of the final weights."""
    job = submitted(database, settings, steps=len(losses), **spec)
    trained(database, losses, metrics)
    return job


def trained(database: Database, losses: list[float], metrics: Metrics | None = None) -> None:
    """Let the next job succeed with these losses."""
    claim = claimed(database, replace(worker_of(database), most_members=1))
    member, values = claim.members[0], metrics or {}
    record = replace(
        progress_of(member, losses), metrics={name: np.array(each[:-1]) for name, each in values.items()},
        final_metrics={name: each[-1] for name, each in values.items()},
    )  # fmt: skip
    with database.begin() as connection:
        assert lifecycle.record(connection, record)
        assert lifecycle.succeed(connection, member.held, Outcome(None, None, {}), actor="worker")
        lifecycle.release(connection, claim.id, actor="worker")


def best(client: FlaskClient, of: str = "jobs", **asked: Any) -> Any:
    """The ids, the values, the metric and the mode of an answer."""
    answer = client.get(f"/v1/{of}/best", query_string=asked)
    assert answer.status_code == 200, answer.text
    found: Any = answer.json
    return [job["id"] for job in found["jobs"]], found["values"], found["metric"], found["mode"]


def refusal(client: FlaskClient, **asked: Any) -> Any:
    """The pointer and the message of a refusal."""
    answer = client.get("/v1/jobs/best", query_string=asked)
    assert answer.status_code == 422, answer.text
    (error,) = answer.get_json()["errors"]
    return error["pointer"], error["message"]


@pytest.fixture
def three(database: Database, settings: Settings) -> list[str]:
    """Three jobs that measured an accuracy, beside one that failed and one that waits."""
    found = [
        ended(database, settings, losses, {"accuracy": accuracy}, seed=seed)
        for seed, (losses, accuracy) in enumerate((
            ([9.0, 1.0, 3.0], [0.1, 0.9, 0.2, 0.3]), ([9.0, 2.0, 2.0], [0.1, 0.2, 0.3, 0.8]),
            ([9.0, 5.0, 4.0], [0.5, 0.5, 0.5, 0.5]),
        ))
    ]  # fmt: skip
    submitted(database, settings)
    fails(database, claimed(database, worker_of(database)))
    submitted(database, settings, device="gpu")  # where no worker is
    return list(map(str, found))


def test_without_more_words_the_best_have_the_lowest_last_loss(client: FlaskClient, three: list[str]) -> None:
    first, second, third = three
    assert best(client) == ([second, first, third], [2.0, 3.0, 4.0], "loss_last", "min")
    assert best(client, mode="max", limit=1) == ([third], [4.0], "loss_last", "max")
    assert best(client, metric="loss_min", limit=1) == ([first], [1.0], "loss_min", "min")


def test_the_best_are_chosen_by_any_figure_of_a_metric(client: FlaskClient, three: list[str]) -> None:
    first, second, third = three
    by_last = best(client, metric="accuracy", mode="max")
    assert by_last == ([second, third, first], [0.8, 0.5, 0.3], "metrics.accuracy.last", "max")
    by_most = best(client, metric="metrics.accuracy.max", mode="max")
    assert by_most == ([first, second, third], [0.9, 0.8, 0.5], "metrics.accuracy.max", "max")
    assert best(client, metric="accuracy.min", mode="max", limit=1)[:2] == ([third], [0.5])


@on_sqlite
def test_a_question_chooses_among_which_jobs(client: FlaskClient, three: list[str]) -> None:
    assert best(client, where="seed != 1")[0] == [three[0], three[2]]
    assert best(client, where="seed > 7")[0] == []
    assert refusal(client, where="sed > 7")[0] == "/where"


@on_sqlite
def test_the_best_show_what_they_measured(client: FlaskClient, three: list[str]) -> None:
    answer: Any = client.get("/v1/jobs/best?limit=1").json
    figures = {"last": 0.8, "last_step": 3, "min": 0.1, "min_step": 0, "max": 0.8, "max_step": 3}
    assert answer["jobs"][0]["result"]["metrics"] == {"accuracy": figures}
    shown: Any = client.get(f"/v1/jobs/{three[1]}").json
    assert shown["result"]["metrics"] == {"accuracy": figures}
    listed: Any = client.get("/v1/jobs").json
    assert listed["jobs"][-2]["result"]["metrics"] == {"accuracy": figures}


@on_sqlite
def test_the_metrics_of_a_page_are_read_at_once(client: FlaskClient, three: list[str]) -> None:
    asked: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        listed: Any = client.get("/v1/jobs?state=succeeded").json
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert all(job["result"]["metrics"] for job in listed["jobs"])
    assert sum("FROM metric_summaries" in statement for statement in asked if "FROM jobs" not in statement) == 1


@on_sqlite
def test_a_metric_that_none_has_is_refused_with_those_that_are_there(client: FlaskClient, three: list[str]) -> None:
    assert refusal(client, metric="acuracy", mode="max") == (
        "/metric", 'no job that succeeded has a metric acuracy; did you mean "accuracy"?',
    )  # fmt: skip
    assert "they have accuracy" in refusal(client, metric="gap", mode="min")[1]
    assert refusal(client, metric="accuracy")[0] == "/mode"
    assert best(client, metric="gap", mode="min", where="seed > 7")[0] == []


@on_sqlite
def test_a_stage_says_what_is_best_of_its_jobs(
    client: FlaskClient, database: Database, settings: Settings, three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_aims(monkeypatch, tensor=("accuracy", "max"))
    assert best(client) == ([three[1], three[2], three[0]], [0.8, 0.5, 0.3], "metrics.accuracy.last", "max")
    assert best(client, metric="accuracy")[3] == "max"
    assert best(client, mode="min")[0][0] == three[0]
    shown: Any = client.get("/v1/stages/tensor").json
    assert (shown["metric"], shown["mode"]) == ("accuracy", "max")
    other = str(ended(database, settings, [9.0, 0.1], stage="nn"))
    pointer, message = refusal(client)
    assert pointer == "/metric"
    assert "metrics.accuracy.last (max) of tensor, loss_last (min) of the others" in message
    assert best(client, stage="nn")[0] == [other]
    assert best(client, stage="tensor")[0][0] == three[1]
    assert best(client, metric="loss")[0][0] == other
    assert best(client, where='stage == "nn"')[2:] == ("loss_last", "min")


def test_the_best_of_a_batch_are_its_own(
    client: FlaskClient, database: Database, settings: Settings, three: list[str]
) -> None:
    body = {"spec": {"stage": "tensor", "steps": 2}, "grid": {"seed": [8, 9]}}
    batch = client.post("/v1/batches", json=body).get_json()["id"]
    for accuracy in (0.4, 0.6):
        trained(database, [9.0, 10 * accuracy], {"accuracy": [0.0, 0.0, accuracy]})
    assert best(client, f"batches/{batch}")[1:] == ([4.0, 6.0], "loss_last", "min")
    assert best(client, f"batches/{batch}", metric="accuracy", mode="max", limit=1)[1] == [0.6]
    assert best(client, batch=batch, metric="accuracy", mode="max") == best(
        client, f"batches/{batch}", metric="accuracy", mode="max"
    )
    assert client.get("/v1/jobs/best", query_string={"batch": str(UUID(int=7))}).status_code == 404
