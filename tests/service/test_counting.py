"""Counts and summaries over HTTP."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from tests.actors import claimed, submitted, succeeds, worker_of


@pytest.fixture(autouse=True)
def some_jobs(database: Database, settings: Settings) -> None:
    """Six jobs of two learning rates, of which one has succeeded."""
    for seed in range(6):
        submitted(database, settings, stage="nn", seed=seed, learning_rate=[1e-6, 1e-5][seed % 2], tags={"t": "x"})
    succeeds(database, claimed(database, worker_of(database)), [4.0, 1.0, 3.0])


def asked(client: FlaskClient, path: str, **query: str) -> Any:
    answer = client.get(f"/v1/jobs/{path}", query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_jobs_are_counted(client: FlaskClient) -> None:
    assert asked(client, "count") == {"count": 6}
    assert asked(client, "count", where="learning_rate > 5e-6") == {"count": 3}
    assert asked(client, "count", state="queued", where="seed < 100")["count"] == 6 - asked(
        client, "count", state="succeeded")["count"]  # fmt: skip
    assert asked(client, "count", stage="optim") == {"count": 0}


def test_jobs_are_summarized_in_groups(client: FlaskClient) -> None:
    found = asked(client, "summary", group="learning_rate, tags.t", of="seed")
    assert found == {
        "groups": [
            {"group": {"learning_rate": rate, "tags.t": "x"}, "count": 3,
             "figures": {"seed": {"count": 3, "min": first, "max": first + 4.0, "mean": first + 2.0,
                                  "median": first + 2.0, "p95": pytest.approx(first + 3.8)}}}
            for rate, first in ((1e-6, 0.0), (1e-5, 1.0))
        ],
        "more": False,
    }  # fmt: skip


def test_without_groups_it_is_one_and_without_values_it_has_no_figures(client: FlaskClient) -> None:
    (group,) = asked(client, "summary", of="loss_min", where='state == "queued"')["groups"]
    assert group["group"] == {}
    assert group["figures"]["loss_min"] == {
        "count": 0, "min": None, "max": None, "mean": None, "median": None, "p95": None
    }  # fmt: skip


def test_times_are_told_as_times(client: FlaskClient) -> None:
    group, *_ = asked(client, "summary", group="finished_at", of="submitted_at", where='state == "succeeded"')["groups"]
    times = [group["group"]["finished_at"], group["figures"]["submitted_at"]["median"]]
    assert all(each.endswith("Z") and each.startswith("20") for each in times)


def test_a_batch_is_summarized_alone(client: FlaskClient) -> None:
    sweep = {"spec": {"stage": "nn", "steps": 4}, "grid": {"seed": {"stop": 5}}}
    batch: Any = client.post("/v1/batches", json=sweep).json
    assert asked(client, "count", batch=batch["id"][:13]) == {"count": 5}
    (group,) = asked(client, "summary", batch=batch["id"], of="seed")["groups"]
    assert group["figures"]["seed"]["median"] == 2.0
    assert client.get("/v1/jobs/count?batch=01a2081e-7429-7d9c-8bc3-0e0ab1fea600").status_code == 404


@pytest.mark.parametrize(
    ("path", "query", "pointer"),
    [
        ("count", {"where": "los_min < 3"}, "/where"), ("summary", {"group": "los_min"}, "/group"),
        ("summary", {"of": "stage"}, "/of"), ("summary", {"of": "loss_min,"}, None),
        ("count", {"group": "x"}, "/group"),
        ("summary", {"group": "seed,steps,points,degree,stage"}, "/group"), ("count", {"state": "done"}, "/state"),
    ],
)  # fmt: skip
def test_wrong_parameters_are_refused_with_their_place(
    client: FlaskClient, path: str, query: dict[str, str], pointer: str | None
) -> None:
    answer: Any = client.get(f"/v1/jobs/{path}", query_string=query)
    if pointer is None:
        assert answer.status_code == 200
        return
    assert (answer.status_code, answer.json["type"]) == (422, "parameters_invalid")
    assert [each["pointer"] for each in answer.json["errors"]] == [pointer]
