"""One running service for each database and test process, started when a test first asks for it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
import redis

import migrations
from gradyard import Client
from tests.packages_for_tests import GOOD, install
from tests.servers import PostgresServer, RedisServer
from tests.service.redis_for_tests import RedisForTests
from tests.stack.service_processes import BAD_TRAINERS, Service
from tests.stack.until import until
from tests.tracebacks import unexpected_errors

REDIS_DATABASES = {"sqlite": 1, "postgresql": 2}
EXAMPLE = Path(__file__).parents[2] / "examples" / "mlp"
READS_THE_CLOCK_FROM_STEP = 5
READS_THE_CLOCK = f"""
import time

import numpy as np


class Trainer:
    def __init__(self, members, device):
        self.width, self.dtype = len(members), members[0]["dtype"]

    def step(self, t):
        drift = time.time_ns() % 1_000_000 if t >= {READS_THE_CLOCK_FROM_STEP} else 0  # no function of the spec
        return np.full(self.width, 9.0 - 1e-7 * drift, dtype=self.dtype)

    def state(self):
        return {{"nothing": np.zeros((self.width, 1))}}

    def load_state(self, arrays):
        pass
"""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with plug-ins: the example as pip installs it, a stage that cannot be imported, and `walk`.

    The losses of `walk` depend on the clock from a step on.
    """
    folder = tmp_path_factory.mktemp("site")
    source = folder / "source"
    subprocess.run(["cp", "-r", f"{EXAMPLE}", f"{source}"], check=True)  # pip writes into the folder it builds from
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", f"{folder}"]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, f"{source}"], check=True)
    install(folder, "broken-runs", "run = run_of_a_licence:STAGE", run_of_a_licence="raise RuntimeError('no licence')")
    install(folder, "walks", "walk = walk:STAGE", walk=GOOD, walk_trainer=READS_THE_CLOCK)
    return folder


@pytest.fixture(scope="session")
def service_on(
    request: pytest.FixtureRequest, redis_server: RedisServer, site: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Service]]:
    """A function that returns the running service on that kind of database, and starts it at the first call."""
    running: dict[str, Service] = {}
    with ExitStack() as stack:

        def give(kind: str) -> Service:
            if kind not in running:
                folder: Path = tmp_path_factory.mktemp(f"service-{kind}")
                database, broker = _database(request, kind, folder), redis_server.of(REDIS_DATABASES[kind])
                plug_ins = os.pathsep.join([f"{BAD_TRAINERS}", f"{site}"])
                service = Service(database, broker, folder, PYTHONPATH=plug_ins)
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
    assert unexpected_errors(service.folder) == []


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


@dataclass(frozen=True)
class Hurt:
    """A service that records three times a second, and whose Redis and database a test may break if it mends them."""

    service: Service
    redis: RedisForTests
    database: str  # its name on the PostgreSQL server of the tests

    def says_from_now_on(self, words: str) -> Callable[[], bool]:
        """Whether its pool has logged these words since."""
        log = self.service.folder / "pool.log"
        said = log.stat().st_size
        return lambda: words in log.read_bytes()[said:].decode()

    def mend(self) -> None:
        """Let its Redis run and take writes, and wait until the service is ready."""
        try:
            self.redis.command("REPLICAOF NO ONE")
        except redis.ConnectionError:
            self.redis.start()
        self.service.cancel_all()
        until(self._is_ready, [self.service.api, self.service.pool])

    def _is_ready(self) -> bool:
        now = self.service.client.readiness()
        return now.status == "ready" and all(now.workers.get(queue) for queue in ("cpu", "gpu"))


@pytest.fixture(scope="session")
def hurt_service(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hurt]:
    """That service. It runs once, and on PostgreSQL: what these tests show depends on no database."""
    name = f"hurt_{uuid4().hex}"
    with RedisForTests.running() as server:
        folder = tmp_path_factory.mktemp("hurt")
        service = Service(postgres.clone(name), server.url, folder, GRADYARD_RECORD_SECONDS="0.3")
        with _started(service):
            hurt = Hurt(service, server, name)
            yield hurt
            hurt.mend()


@pytest.fixture
def hurt(hurt_service: Hurt) -> Hurt:
    """That service, ready and without jobs that run."""
    hurt_service.mend()
    return hurt_service
