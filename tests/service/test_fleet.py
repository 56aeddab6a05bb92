"""Draining, pausing, and what a fleet says of itself."""

import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update

from gradyard.jobs.settings import Settings
from gradyard.store import fleet, lifecycle
from gradyard.store.database import Database
from gradyard.store.fleet import HeartbeatReport, WorkerInfo
from gradyard.store.tables import Job, Result, Worker
from tests.actors import claimed, submitted, succeeds, worker_of

LEASE = 15.0


def post(client: FlaskClient, path: str, status: int = 200, body: Any = None) -> Any:
    response = client.post(path, json=body)
    assert response.status_code == status, response.text
    return response.json


def takes(database: Database, worker: WorkerInfo) -> bool:
    with database.begin() as connection:
        return lifecycle.claim(connection, worker, LEASE) is not None


def because(client: FlaskClient, job: object) -> str:
    return str(client.get(f"/v1/jobs/{job}").json["waiting"]["reason"])  # type: ignore[index]


def test_a_paused_queue_takes_jobs_and_trains_none_until_it_is_resumed(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    worker, job = worker_of(database), submitted(database, settings)
    assert post(client, "/v1/queues/cpu/pause", body={"reason": "new disk"})["paused"]["reason"] == "new disk"
    assert not takes(database, worker)
    assert because(client, job) == "the queue cpu is paused: new disk"
    assert post(client, "/v1/queues/cpu/resume")["paused"] is None
    assert takes(database, worker)
    post(client, "/v1/queues/none/pause", 404)


def test_a_drained_slot_takes_nothing_and_stays_drained_when_it_starts_again(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    first, second = worker_of(database, "cpu-0"), worker_of(database, "cpu-1")
    submitted(database, settings)
    busy = claimed(database, first)
    shown = post(client, "/v1/workers/cpu-0@host/drain", body={"reason": "loud fan"})["workers"]
    assert [(each["slot"], each["state"]) for each in shown] == [("cpu-0", "draining")]
    assert shown[0]["drained"]["reason"] == "loud fan"
    succeeds(database, busy)
    again = worker_of(database, "cpu-0")
    job = submitted(database, settings)
    assert not takes(database, again)
    assert because(client, job) == "a worker is about to take it"
    assert takes(database, second)
    assert "drained" in {each["state"] for each in client.get("/v1/workers").json["workers"]}  # type: ignore[index]
    post(client, "/v1/workers/cpu-0/undrain")
    submitted(database, settings, steps=9)
    assert takes(database, again)
    post(client, "/v1/workers/cpu-0/undrain", 404)


@pytest.mark.parametrize("path", ["/v1/workers/cpu-0/drain", "/v1/queues/cpu/pause"])
def test_a_reason_stands_in_the_body_alone(client: FlaskClient, database: Database, path: str) -> None:
    worker_of(database)
    refused = post(client, f"{path}?reason=fan", 422)
    assert refused["type"] == "parameters_invalid"
    assert refused["detail"] == '/reason: send the reason in the body: {"reason": "..."}'
    for body, pointer in (({"reason": 7}, "/reason"), ({"why": "fan"}, "/why"), ({"reason": "x" * 501}, "/reason")):
        refused = post(client, path, 422, body)
        assert (refused["type"], refused["errors"][0]["pointer"]) == ("body_invalid", pointer)
    for accepted in ({}, {"reason": None}):
        post(client, path, 200, accepted)


def test_a_drained_host_has_no_idle_slot_and_its_jobs_say_so(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    worker = worker_of(database)
    job = submitted(database, settings)
    post(client, "/v1/workers/host/drain")
    assert not takes(database, worker)
    assert because(client, job) == "host is drained"
    queues = {each["name"]: each for each in client.get("/v1/queues").json["queues"]}  # type: ignore[index]
    assert (queues["cpu"]["idle_slots"], queues["cpu"]["live_slots"]) == (0, 1)
    post(client, "/v1/workers/elsewhere/drain", 404)


def test_what_a_heartbeat_tells_is_shown(client: FlaskClient, database: Database, settings: Settings) -> None:
    worker = worker_of(database, "gpu-0", "gpu")
    with database.begin() as connection:
        fleet.heartbeat(connection, worker, LEASE, report=HeartbeatReport(1000.0, 2.5, 97.0, 61.0, 4096, {"jobs": 3}))
    (shown,) = client.get("/v1/workers").json["workers"]  # type: ignore[index]
    assert [shown[name] for name in HeartbeatReport().columns()] == [1000.0, 2.5, 97.0, 61.0, 4096]
    submitted(database, settings, device="gpu")
    queues = {each["name"]: each for each in client.get("/v1/queues").json["queues"]}  # type: ignore[index]
    assert (queues["gpu"]["jobs_per_second"], queues["gpu"]["empty_in_seconds"]) == (2.5, 0.4)
    submitted(database, settings, device="auto")
    queues = {each["name"]: each for each in client.get("/v1/queues").json["queues"]}  # type: ignore[index]
    assert (queues["gpu"]["depth"], queues["gpu"]["empty_in_seconds"], queues["any"]["depth"]) == (1, 0.8, 1)


def one_took(database: Database, settings: Settings, worker: WorkerInfo, *, pack_size: int) -> None:
    """A job of 1,000 steps has trained for half a minute in a pack of that size: nothing else is known."""
    assert submitted(database, settings, steps=1000)
    succeeds(database, claimed(database, worker))
    with database.begin() as connection:
        connection.execute(update(Job).values(train_seconds=30.0, setup_seconds=0.0, pack_size=pack_size))


def test_a_waiting_job_says_when_it_starts_by_what_such_jobs_took(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    one_took(database, settings, worker_of(database), pack_size=2)
    waiting = [submitted(database, settings, steps=1000) for _ in range(5)]
    shown = client.get(f"/v1/jobs/{waiting[4]}").json["waiting"]  # type: ignore[index]
    assert shown["position"] == 5
    assert _seconds_until(shown["estimated_start_at"]) == _about(60.0)
    other = submitted(database, settings, stage="nn")
    last = submitted(database, settings, stage="nn")
    assert client.get(f"/v1/jobs/{other}").json["waiting"]["estimated_start_at"] is not None  # type: ignore[index]
    assert client.get(f"/v1/jobs/{last}").json["waiting"]["estimated_start_at"] is None  # type: ignore[index]


def starts_in(client: FlaskClient, job: object) -> Any:
    shown = client.get(f"/v1/jobs/{job}").json["waiting"]  # type: ignore[index]
    at = shown["estimated_start_at"]
    return shown["position"], None if at is None else _seconds_until(at)


def test_slots_that_cannot_take_the_job_are_not_counted_on(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    workers = [worker_of(database, f"cpu-{number}") for number in range(4)]
    one_took(database, settings, workers[0], pack_size=1)
    waiting = [submitted(database, settings, steps=1000) for _ in range(9)]
    assert starts_in(client, waiting[8]) == (9, _about(8 * 30.0 / 4))
    for number in range(3):
        post(client, f"/v1/workers/cpu-{number}@host/drain")
    assert starts_in(client, waiting[8]) == (9, _about(8 * 30.0))


def test_jobs_for_any_device_are_before_those_of_one(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job = submitted(database, settings)
    for _ in range(5):
        submitted(database, settings, device="auto", priority=5)
    assert starts_in(client, job)[0] == 6


def test_how_fast_a_device_is_is_told_by_devices_of_its_name(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    slow, fast = (replace(worker_of(database, f"gpu-{number}", "gpu"), device_name=name)
                  for number, name in enumerate(("T4", "H200")))  # fmt: skip
    for seconds, worker in ((100.0, slow), (10.0, fast)):
        job = submitted(database, settings, steps=1000, device="gpu")
        succeeds(database, claimed(database, worker))
        with database.begin() as connection:
            connection.execute(
                update(Job).where(Job.id == job).values(train_seconds=seconds, setup_seconds=0.0, pack_size=1)
            )
            connection.execute(
                update(Result).where(Result.job_id == job).values(environment={"device": worker.device_name})
            )
            connection.execute(update(Worker).where(Worker.id == worker.id).values(device_name=worker.device_name))
    for _ in range(60):  # of another queue, and newer: they tell nothing of a GPU
        submitted(database, settings, steps=1000)
    succeeds(database, claimed(database, worker_of(database)))
    waiting = [submitted(database, settings, steps=1000, device="gpu") for _ in range(3)]
    post(client, "/v1/workers/gpu-0@host/drain")
    assert starts_in(client, waiting[2]) == (3, _about(20.0))
    post(client, "/v1/workers/gpu-0@host/undrain")
    post(client, "/v1/workers/gpu-1@host/drain")
    assert starts_in(client, waiting[2]) == (3, _about(200.0))


def test_a_project_without_a_history_of_its_own_is_told_by_that_of_others(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    one_took(database, settings, worker_of(database), pack_size=2)
    key = {"Authorization": f"Bearer {client.post('/v1/keys', json={'name': 'ada', 'project': 'new'}).json['key']}"}  # type: ignore[index]
    spec = {"stage": "tensor", "steps": 1000}
    waiting = [client.post("/v1/jobs", json=spec, headers=key).json["id"] for _ in range(3)]  # type: ignore[index]
    shown = client.get(f"/v1/jobs/{waiting[2]}", headers=key).json["waiting"]  # type: ignore[index]
    assert shown["position"] == 3
    assert _seconds_until(shown["estimated_start_at"]) == _about(30.0)


def test_a_job_that_no_worker_takes_has_no_start(client: FlaskClient, database: Database, settings: Settings) -> None:
    job = submitted(database, settings)
    assert client.get(f"/v1/jobs/{job}").json["waiting"]["estimated_start_at"] is None  # type: ignore[index]


def test_metrics_tell_of_jobs_queues_workers_and_faults(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    worker = worker_of(database)
    submitted(database, settings)
    succeeds(database, claimed(database, worker))
    submitted(database, settings)
    happened = {"fenced_writes": 2, "packs_of_1": 1, "packs_of_8": 2, "pack_members": 13,
                "packs_of_2048": 1, "packs_of_more": 1}  # fmt: skip
    for number in (1, 2):
        with database.begin() as connection:
            report = HeartbeatReport(5.0, 1.0, 150.0, None, 512, happened=happened, number=number)
            fleet.heartbeat(connection, worker, LEASE, report=report)
    response = client.get("/metrics")
    assert response.status_code == 200
    found = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(response.text) for sample in family.samples
    }  # fmt: skip
    assert found["gradyard_jobs", "", "succeeded", "tensor"] == 1
    assert found["gradyard_queue_depth", "cpu"] == 1
    assert found["gradyard_worker_steps_per_second", "cpu-0", "host"] == 5.0
    assert (
        found["gradyard_worker_cores_used", "cpu-0", "host"],
        found["gradyard_worker_memory_bytes", "cpu-0", "host"],
    ) == (1.5, 2.0**29)
    assert not [name for name, *_ in found if name.startswith("gradyard_gpu_")], "a CPU slot is no GPU"
    assert found["gradyard_fenced_writes_total", "cpu-0@host"] == 4
    buckets = [found["gradyard_pack_size_bucket", size] for size in ("1.0", "4.0", "8.0", "512.0", "4096.0", "+Inf")]
    assert buckets == [2, 2, 6, 6, 8, 10]
    assert found["gradyard_pack_size_sum",] == 26
    if promtool := shutil.which("promtool"):
        subprocess.run([promtool, "check", "metrics"], input=response.text, text=True, check=True)


def _seconds_until(as_datetime: str) -> float:
    return (datetime.fromisoformat(as_datetime) - datetime.now(UTC)).total_seconds()


def _about(seconds: float) -> Any:
    return pytest.approx(seconds, abs=5.0)
