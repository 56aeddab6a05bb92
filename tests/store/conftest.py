"""What tests of two transactions at once share, those of many jobs, and those of submissions."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from gradyard.jobs.settings import Settings, load
from gradyard.jobs.submission.parse import ParsedJob, parse_job
from gradyard.store.database import Database
from tests.servers import PostgresServer
from tests.store.full_database import fill
from tests.store.interleaving import Stage, stage_on


@pytest.fixture(scope="module")
def stage(postgres: PostgresServer) -> Iterator[Stage]:
    """Two connections to a database of their own."""
    name = f"two_at_once_{uuid4().hex}"
    database = Database(postgres.clone(name))
    with stage_on(database) as stage:
        yield stage
    database.close()
    postgres.drop(name)


@pytest.fixture
def settings_of_stage(tmp_path: Path) -> Settings:
    """What submitting needs; the stage has the database."""
    return load(database_url="sqlite://", redis_url="redis://127.0.0.1:1/0", state_dir=tmp_path, admin_key=None)


@pytest.fixture
def parsed(settings: Settings) -> ParsedJob:
    """A job that can be stored."""
    return parse_job(b'{"stage": "tensor", "steps": 4}', settings)


@pytest.fixture(scope="session")
def filled_sqlite(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file of some thousand jobs, to copy from."""
    path = tmp_path_factory.mktemp("filled") / "filled.db"
    shutil.copy(migrated_sqlite, path)
    database = Database(f"sqlite:///{path}")
    fill(database)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path


@pytest.fixture(scope="session")
def filled_postgresql(postgres: PostgresServer) -> Iterator[PostgresServer]:
    """The server, with some thousand jobs in its template."""
    name = f"filled_{uuid4().hex}"
    database = Database(postgres.clone(name))
    fill(database)
    database.close()
    yield replace(postgres, template=name)
    postgres.drop(name)


@pytest.fixture
def full(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[Database]:
    """A database of its own for each test: some thousand jobs ended, wait for a GPU that is not there, or wait."""
    if database_url.startswith("sqlite"):
        path = shutil.copy(request.getfixturevalue("filled_sqlite"), tmp_path / "full.db")
        database = Database(f"sqlite:///{path}")
        yield database
        database.close()
        return
    server: PostgresServer = request.getfixturevalue("filled_postgresql")
    name = f"full_{uuid4().hex}"
    database = Database(server.clone(name))
    yield database
    database.close()
    server.drop(name)


@pytest.fixture(autouse=True)
def slices_that_take_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """No slice of a deletion ends early because the machine is busy; a test of slices says how long its own take."""
    for place in ("lifecycle.delete", "lifecycle.actions.delete", "retention.expire"):
        monkeypatch.setattr(f"gradyard.store.{place}.SLICE_SECONDS", 600.0)
