"""Who trains, what waits, and what can be asked for."""

from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from flask.testing import FlaskClient

from gradyard.jobs.settings import Settings
from gradyard.jobs.stages.registry import STAGES
from gradyard.store import fleet
from gradyard.store.database import Database
from tests.actors import claimed, submitted, worker_of

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def get(client: FlaskClient, path: str) -> Any:
    response = client.get(path)
    assert response.status_code == 200, response.text
    return response.json


def test_workers_show_what_they_train(client: FlaskClient, database: Database, settings: Settings) -> None:
    assert get(client, "/v1/workers") == {"workers": [], "next_cursor": None}
    jobs = {str(submitted(database, settings)) for _ in range(2)}
    busy = worker_of(database, "cpu-0")
    claimed(database, busy)
    idle, dead = worker_of(database, "cpu-1"), worker_of(database, "gpu-0", "gpu", lease=-1)
    seen = {worker["id"]: worker for worker in get(client, "/v1/workers")["workers"]}
    assert [seen[str(worker.id)]["state"] for worker in (busy, idle, dead)] == ["busy", "idle", "dead"]
    assert set(seen[str(busy.id)]["current_jobs"]) == jobs
    shown = seen[str(dead.id)]
    assert (shown["host"], shown["slot"], shown["queue"], shown["pid"]) == ("host", "gpu-0", "gpu", 1)
    assert (shown["current_jobs"], shown["device_name"], shown["pool"]) == ([], "cpu", None)
    assert shown["started_at"].endswith("Z")


def test_a_worker_that_left_on_purpose_is_no_longer_listed(client: FlaskClient, database: Database) -> None:
    worker = worker_of(database)
    with database.begin() as connection:
        fleet.retire(connection, worker.id)
    assert get(client, "/v1/workers")["workers"] == []


def test_queues_show_what_waits_and_who_could_take_it(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    submitted(database, settings, steps=5)
    claimed(database, worker_of(database))
    worker_of(database, "cpu-1")
    for device in ("cpu", "cpu", "gpu", "auto"):
        submitted(database, settings, device=device)
    queues = {queue.pop("name"): queue for queue in get(client, "/v1/queues")["queues"]}
    assert list(queues) == ["cpu", "gpu", "any", "blocked"]
    quiet = {"jobs_per_second": 0.0, "empty_in_seconds": None, "paused": None}
    empty = queues.pop("blocked")  # of jobs that wait for others: no worker has it
    assert empty == quiet | {"depth": 0, "idle_slots": 0, "live_slots": 0, "oldest_wait_seconds": 0.0}
    assert all(0 <= queue.pop("oldest_wait_seconds") < 60 for queue in queues.values())
    assert queues["cpu"] == quiet | {"depth": 2, "idle_slots": 1, "live_slots": 2}
    assert queues["gpu"] == quiet | {"depth": 1, "idle_slots": 0, "live_slots": 0}
    assert queues["any"] == quiet | {"depth": 1, "idle_slots": 0, "live_slots": 0}  # those of the others take its jobs


@on_sqlite
def test_stages_are_listed_in_the_tutorials_order(client: FlaskClient) -> None:
    stages = get(client, "/v1/stages")["stages"]
    assert [stage["name"] for stage in stages] == list(STAGES)
    facts = stages[0]
    assert (facts["devices"], facts["dtype"], facts["numerics_version"]) == (["cpu"], "float64", 2)


@on_sqlite
def test_a_stage_has_the_schema_of_its_spec(client: FlaskClient) -> None:
    for name in STAGES:
        stage = get(client, f"/v1/stages/{name}")
        jsonschema.validate(stage["defaults"], stage["schema"])
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(stage["defaults"] | {"epochs": 1}, stage["schema"])
    response = client.get("/v1/stages/mlp")
    assert (response.status_code, response.content_type) == (404, "application/problem+json")


@on_sqlite
def test_a_stage_tells_from_how_much_work_on_a_gpu_pays(client: FlaskClient) -> None:
    pays = get(client, "/v1/stages/autograd")["gpu_pays"]
    eager, compiled = pays["executions"]
    assert (eager["execution"], eager["points_at_once"], eager["point_steps"]) == ("eager", 180_000, 130_000_000)
    assert (compiled["execution"], compiled["cpu_engine"], compiled["compile_seconds"]) == ("compiled", "inductor", 15)
    assert "eager from 180,000 jobs x points" in pays["sentence"]
    assert "H100" in pays["gpu"]
    assert get(client, "/v1/stages/numpy")["gpu_pays"] is None
