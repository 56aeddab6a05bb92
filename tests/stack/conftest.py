"""One running service for each database and test process."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

import migrations
from gradyard import Client
from tests.servers import PostgresServer, RedisServer
from tests.stack.service_processes import Service

REDIS_DATABASES = {"sqlite": 1, "postgresql": 2}


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def service(
    request: pytest.FixtureRequest, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A running service on SQLite, and one on PostgreSQL; tests leave it idle, not empty."""
    folder: Path = tmp_path_factory.mktemp(f"service-{request.param}")
    if request.param == "sqlite":
        url = f"sqlite:///{folder / 'gradyard.db'}"
        migrations.upgrade(url)
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.clone(f"service_{uuid4().hex}")
    running = Service(url, redis_server.of(REDIS_DATABASES[request.param]), folder)
    running.start()
    yield running
    running.stop()
    left = running.processes("workers") if running.pool.returncode() is None else []
    assert left == []


@pytest.fixture
def client(service: Service) -> Client:
    """A client of the running service."""
    return service.client
