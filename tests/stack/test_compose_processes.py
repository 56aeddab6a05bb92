"""The commands of docker-compose.yml work as processes of this machine, on a real PostgreSQL and Valkey.

There is no container. Commands, environments, health checks and Valkey's settings come from the file; hosts and ports
are replaced, and the GPU is simulated.
"""

import io
import json
import platform
import secrets
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import numpy as np
import psutil
import psycopg
import pytest
from sqlalchemy.engine import make_url

from gradyard import Client, File
from gradyard.processes.children import Child, stop_in_order
from tests.servers import PostgresServer, free_port, redis_binary
from tests.stack.compose_file import ComposeProcesses, compose_file, filled_in
from tests.stack.until import READY_SECONDS, until

pytestmark = pytest.mark.stack

DATABASE = "postgresql://gradyard:{POSTGRES_PASSWORD}@postgres:5432/gradyard"


@pytest.fixture
def variables() -> dict[str, str]:
    """The variables that a user sets before `docker compose up`."""
    return {name: secrets.token_hex(24) for name in ("GRADYARD_ADMIN_KEY", "POSTGRES_PASSWORD", "VALKEY_PASSWORD")}


@pytest.fixture
def empty_database(postgres: PostgresServer) -> Iterator[str]:
    """The URL of a database without tables, as PostgreSQL's image makes it."""
    name = f"compose_{uuid4().hex}"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    yield make_url(postgres.url).set(database=name).render_as_string(hide_password=False)
    postgres.drop(name)


@pytest.fixture
def valkey(variables: dict[str, str], tmp_path: Path) -> Iterator[str]:
    """The host and port of a server with the settings of the file. It replaces `valkey:6379`."""
    settings = tmp_path / "valkey.conf"
    settings.write_text(filled_in(compose_file()["configs"]["valkey"]["content"], variables))
    place = f"127.0.0.1:{free_port()}"
    command = [redis_binary(), str(settings), "--bind", "127.0.0.1", "--port", place.split(":")[1]]
    server = Child("valkey", [*command, "--dir", str(tmp_path)], log_path=tmp_path / "valkey.log")
    server.start()
    until(lambda: any("Ready to accept connections" in line for line in server.tail(50)), [server])
    yield place
    server.kill()


@pytest.fixture
def here(variables: dict[str, str], empty_database: str, valkey: str, tmp_path: Path) -> ComposeProcesses:
    """The file's services on this machine."""
    elsewhere = {
        DATABASE.format(**variables): empty_database, "valkey:6379": valkey, "8000": str(free_port()),
        "0.0.0.0": "127.0.0.1",  # a test opens no port to other machines
        "/var/lib/gradyard": str(tmp_path),  # the volume
    }  # fmt: skip
    home = tmp_path / "home"
    home.mkdir()
    return ComposeProcesses(variables, elsewhere, home, tmp_path, {"GRADYARD_FAKE_GPUS": json.dumps(["Fake GPU"])})


@pytest.fixture
def client(here: ComposeProcesses) -> Iterator[Client]:
    """A client with the administrator's key."""
    with Client(f"http://127.0.0.1:{here.elsewhere['8000']}", here.variables["GRADYARD_ADMIN_KEY"]) as client:
        yield client


@pytest.fixture
def running(here: ComposeProcesses, client: Client) -> Iterator[list[Child]]:
    """Start migration, API and workers in the order of `depends_on`. Workers come first in the list, to stop first."""
    migrate = here.child("migrate")
    migrate.start()
    assert migrate.wait(READY_SECONDS)
    assert migrate.returncode() == 0, migrate.tail(20)
    children = [here.child(name) for name in ("worker-gpu", "worker-cpu", "api")]
    for child in reversed(children):
        child.start()
    until(lambda: here.is_healthy("api"), children)
    until(lambda: client.readiness().workers == {"cpu": 1, "gpu": 1}, children)
    yield children
    for child in children:
        child.kill()


def device_of(client: Client, job_id: str) -> str:
    job = client.wait(job_id, timeout=300)
    assert job.succeeded, job.message
    assert job.result is not None
    return str(job.environment["device"])


def larger_file(client: Client) -> File:
    """A file that is too large for the database."""
    x, content = np.linspace(-1.0, 1.0, 70_000), io.BytesIO()
    np.savez(content, x=x, y=x)
    return client.upload(content.getvalue())


def test_the_commands_of_the_file_train_jobs_and_end_when_asked(
    here: ComposeProcesses, running: list[Child], client: Client
) -> None:
    assert httpx.post(client.url + "/v1/jobs", json={"stage": "numpy"}, trust_env=False).status_code == 401
    for name in ("worker-cpu", "worker-gpu"):
        until(lambda name=name: here.is_healthy(name), running)  # type: ignore[misc]
    on_cpu, on_gpu = (client.submit(stage="tensor", steps=50, device=device).id for device in ("cpu", "gpu"))
    assert [device_of(client, job) for job in (on_cpu, on_gpu)] == ["cpu", "Fake GPU"]
    assert len(client.losses(on_cpu)) == 50
    on_file = client.submit(stage="numpy", steps=5, learning_rate=1e-9, dataset=larger_file(client).dataset("x", "y"))
    assert device_of(client, on_file.id) == "cpu"
    assert {worker.device_uuid for worker in client.workers()} == {None, f"GPU-fake-0@{platform.node()}"}
    family = [each for child in running for each in psutil.Process(child.pid).children(recursive=True)]
    stop_in_order(running, 120.0)  # one that does not end is killed, which its code shows
    assert [child.returncode() for child in running] == [0, 0, 0]
    assert [each for each in family if each.is_running() and each.status() != psutil.STATUS_ZOMBIE] == []
    assert list(here.home.iterdir()) == [], "in a container the home folder cannot be written"


def test_a_dead_service_is_not_healthy(here: ComposeProcesses) -> None:
    assert not here.is_healthy("api")
    assert not here.is_healthy("worker-cpu")
