"""Real parts for every test: SQLite files, a PostgreSQL server, a Redis server; nothing is mocked."""

import fcntl
import gc
import os
import sys
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from gradyard.jobs.settings import Settings, load
from gradyard.store.database import Database
from tests.built_once import build_once
from tests.emptied_databases import EmptiedDatabases
from tests.fuzzing import draw_alike_anywhere
from tests.servers import PostgresServer, RedisServer, sqlite_template
from tests.slow_tests import is_slow
from tests.unsorted_rows import reverse_unsorted_rows

pytest.register_assert_rewrite("tests.workers.trainers.packs")

draw_alike_anywhere()
reverse_unsorted_rows()

SERVERS = {"postgres", "redis_server", "gunicorn"}
COLLECT_AFTER = 10_000, 10, 10  # new objects, young collections, middle ones: 700, 10, 10 by default


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Tests of whole services go one at a time, beside everything else."""
    from tests.scheduling import StackAlone

    return StackAlone(config, log)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark tests that need a server, and those that were measured to take long without one."""
    starts_one = any(map(item.get_closest_marker, ("stack", "browser")))
    if starts_one or SERVERS & set(getattr(item, "fixturenames", ())) or _on_postgresql(item):
        item.add_marker(pytest.mark.server)
    elif is_slow(item.nodeid):
        item.add_marker(pytest.mark.slow)


def _on_postgresql(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    return callspec is not None and callspec.params.get("database_url") == "postgresql"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of whole services first: they take longest, and the other test processes do the rest meanwhile."""
    items.sort(key=lambda item: item.get_closest_marker("stack") is None)


def pytest_collection_finish() -> None:
    """Spare the garbage collector what is loaded by now: it took a sixth of the time of small tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


@pytest.fixture(scope="session", autouse=True)
def compiled_programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What torch compiles goes where it is cleared away, in all test processes and in those they start."""
    folder = tmp_path_factory.getbasetemp()
    folder = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "compiled"
    folder.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCHINDUCTOR_CACHE_DIR", str(folder))
        yield


@pytest.fixture(scope="session", autouse=True)
def _built_once() -> Iterator[None]:
    """Databases and apps of all tests share what does not depend on a test."""
    with pytest.MonkeyPatch.context() as patch:
        build_once(patch)
        yield


@pytest.fixture(autouse=True)
def _alone_on_the_gpu(request: pytest.FixtureRequest) -> Iterator[None]:
    """Of the test processes of this machine one at a time uses its GPUs, and leaves them as it found them."""
    if request.node.get_closest_marker("gpu") is None:
        yield
        return
    with (Path(tempfile.gettempdir()) / "gradyard-gpu-tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
        if torch := sys.modules.get("torch"):
            gc.collect()
            torch.cuda.empty_cache()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of this test process: `TEST_DATABASE_URL`, or the one in the wheel."""
    with PostgresServer.start() as server:
        yield server


@pytest.fixture(scope="session")
def emptied_databases(postgres: PostgresServer) -> Iterator[EmptiedDatabases]:
    """Databases of that server, for one test after the other."""
    emptied = EmptiedDatabases(postgres)
    yield emptied
    emptied.close()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis-compatible server of this test process."""
    with RedisServer.start(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy from."""
    return sqlite_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated, empty database of its own for each test, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("migrated_sqlite")
        copy = tmp_path / "gradyard.db"
        copy.write_bytes(template.read_bytes())
        yield f"sqlite:///{copy}"
        return
    emptied: EmptiedDatabases = request.getfixturevalue("emptied_databases")
    name, url = emptied.take()
    yield url
    emptied.give_back(name)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The database of this test."""
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings for the database of this test, with nothing of the machine's environment that matters."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    places = {"database_url": SecretStr(database_url), "state_dir": tmp_path / "state"}
    return _settings_in(frozenset(environment.items()), Path.cwd()).model_copy(update=places)


@lru_cache(maxsize=8)
def _settings_in(_environment: frozenset[tuple[str, str]], _folder: Path) -> Settings:
    # reading them takes as long as a request
    return load(redis_url="redis://127.0.0.1:1/0", admin_key=None)
