"""One running service for each database and test process, started when a test first asks for it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

import migrations
from gradyard import Client
from tests.servers import PostgresServer, RedisServer
from tests.stack.service_processes import Service
from tests.stack.until import until

REDIS_DATABASES = {"sqlite": 1, "postgresql": 2}


@pytest.fixture(scope="session")
def service_on(
    request: pytest.FixtureRequest, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Service]]:
    """A function that returns the running service on that kind of database, and starts it at the first call."""
    running: dict[str, Service] = {}
    with ExitStack() as stack:

        def give(kind: str) -> Service:
            if kind not in running:
                folder: Path = tmp_path_factory.mktemp(f"service-{kind}")
                database, broker = _database(request, kind, folder), redis_server.of(REDIS_DATABASES[kind])
                service = Service(database, broker, folder, GRADYARD_SPARE_RUNNER="true")
                running[kind] = stack.enter_context(_started(service))
            return running[kind]

        yield give


def _database(request: pytest.FixtureRequest, kind: str, folder: Path) -> str:
    if kind == "sqlite":
        url = f"sqlite:///{folder / 'gradyard.db'}"
        migrations.upgrade(url)
        return url
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.clone(f"service_{uuid4().hex}")


@contextmanager
def _started(service: Service) -> Iterator[Service]:
    service.start()
    yield service
    service.stop()
    left = service.processes("workers") if service.pool.returncode() is None else []
    assert left == []


@pytest.fixture(params=[pytest.param("sqlite", marks=pytest.mark.long), "postgresql"])
def service(request: pytest.FixtureRequest, service_on: Callable[[str], Service]) -> Service:
    """The running service: idle, with a worker in each slot. Old jobs may be in it.

    On PostgreSQL, and in `make long` on SQLite too: what these tests show depends on no database. On SQLite `make test`
    trains in tests/local, in tests/faults and where a test names it.
    """
    running = service_on(request.param)
    running.cancel_all()
    until(lambda: all(running.client.readiness().workers.get(queue) for queue in ("cpu", "gpu")), [running.pool])
    return running


@pytest.fixture
def client(service: Service) -> Client:
    """A client of the running service."""
    return service.client
