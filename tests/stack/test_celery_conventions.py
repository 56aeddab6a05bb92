"""Celery's usual commands work: a worker that is started by hand, `inspect ping`, Flower."""

import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import migrations
from gradyard.processes.children import Child
from tests.servers import RedisServer, free_port
from tests.stack.service_processes import Service
from tests.stack.until import until

pytestmark = pytest.mark.stack

CELERY = [sys.executable, "-m", "celery", "-A", "workers"]
WORKER = [*CELERY, "worker", "-Q", "gpu", "-c", "1", "-n", "mine@%h"]


@pytest.fixture(scope="module")
def service(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """An API, and a worker for one simulated GPU that is started with Celery's own command, without a pool."""
    folder: Path = tmp_path_factory.mktemp("celery")
    url = f"sqlite:///{folder / 'gradyard.db'}"
    migrations.upgrade(url)
    service = Service(url, redis_server.of(10), folder)
    service.pool = Child("worker", WORKER, service.environment, folder / "worker.log")
    try:
        service.api.start()
        service.pool.start()
        until(lambda: service.api_answers() and service.client.readiness().workers.get("gpu"), [service.pool])
        yield service
    finally:
        service.stop()


def test_a_worker_started_by_hand_takes_a_gpu_and_trains(service: Service) -> None:
    job = service.client.wait(service.client.submit(stage="tensor", steps=20, device="gpu").id, timeout=300)
    assert job.succeeded
    assert job.result is not None
    assert job.environment["device"] == "Fake GPU"
    (worker,) = service.client.workers()
    assert (worker.slot, worker.device_uuid) == ("gpu-0", f"GPU-fake-0@{platform.node()}")


def test_a_second_worker_ends_since_no_gpu_is_free(service: Service) -> None:
    second = subprocess.run(WORKER, env=service.environment, capture_output=True, text=True, timeout=300, check=False)
    assert second.returncode == 2
    assert "no GPU, or other workers hold them all" in second.stderr


@pytest.mark.parametrize("options", [("-c", "2"), ("-P", "solo"), ("-P", "threads"), ("--autoscale", "3,1")])
def test_a_worker_that_would_be_several_in_one_slot_is_refused(service: Service, options: tuple[str, ...]) -> None:
    command = [*CELERY, "worker", "-Q", "cpu", "-n", "other@%h", *options]
    ended = subprocess.run(command, env=service.environment, capture_output=True, text=True, timeout=300, check=False)
    assert (ended.returncode, "a slot is one process" in ended.stderr) == (2, True)


def test_inspect_ping_is_answered(service: Service) -> None:
    ping = subprocess.run([*CELERY, "inspect", "ping"], env=service.environment, capture_output=True, text=True,
                          timeout=300, check=False)  # fmt: skip
    assert ping.returncode == 0, ping.stderr
    assert "mine@" in ping.stdout
    assert "pong" in ping.stdout


def test_flower_shows_the_worker_and_its_tasks(service: Service, tmp_path: Path) -> None:
    port = free_port()
    command = [*CELERY, "flower", "--address=127.0.0.1", f"--port={port}"]
    environment = service.environment | {"FLOWER_UNAUTHENTICATED_API": "true"}
    flower = Child("flower", command, environment, tmp_path / "flower.log")
    flower.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=300) as client:
            until(lambda: _answers(client), [flower])
            workers = client.get("/api/workers", params={"refresh": "true"}).raise_for_status().json()
            assert [name.partition("@")[0] for name in workers] == ["mine"]
            until(lambda: _shows_a_new_task(client, service), [flower])
            tasks = client.get("/api/tasks").json().values()
            # Flower does not know the name of a task that was sent before it listened.
            assert {task["name"] for task in tasks} - {None} == {"gradyard.train"}
    finally:
        flower.kill()


def _shows_a_new_task(flower: httpx.Client, service: Service) -> bool:
    """Train a job; whether Flower shows its task. Flower misses tasks until it has asked the workers for events."""
    job = service.client.wait(service.client.submit(stage="tensor", steps=21, device="gpu").id, timeout=300)
    return str(job.id) in flower.get("/api/tasks").text


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/healthcheck").status_code == 200
    except httpx.TransportError:
        return False
