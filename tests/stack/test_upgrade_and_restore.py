"""Upgrades and backups work as docs/operations.md promises, also while jobs train."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from gradyard import Client, Job
from gradyard.jobs.settings import load
from gradyard.local.copies.backup import back_up
from gradyard.local.copies.restore import restore
from gradyard.store.database import Database
from tests.servers import RedisServer, postgresql_programs
from tests.stack.service_processes import Service, slow_spec
from tests.stack.test_life_of_a_job import until

pytestmark = pytest.mark.stack


@contextlib.contextmanager
def running(url: str, redis_url: str, folder: Path) -> Iterator[Service]:
    """Run a service on that database until the block ends."""
    folder.mkdir()
    service = Service(url, redis_url, folder)
    service.start()
    try:
        yield service
    finally:
        service.stop()


def trains_from_a_record(client: Client, job_id: str) -> Job:
    """Wait until the job has recorded its first losses, and return it."""
    return until(client, job_id, "running", steps=1)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_rolling_upgrade_redoes_no_step(database_url: str, redis_server: RedisServer, tmp_path: Path) -> None:
    spec = slow_spec(2.0)
    with running(database_url, redis_server.of(11), tmp_path / "service") as service:
        client = service.client
        job = client.submit(spec)
        trains_from_a_record(client, job.id)
        database = Database(database_url)
        with database.begin() as connection:  # the new version's `gradyard db upgrade`
            connection.exec_driver_sql("ALTER TABLE jobs ADD COLUMN of_the_next_version INTEGER")
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9998_pre'")
        database.close()
        assert client.readiness().status == "ready"
        service.pool.terminate()
        assert service.pool.wait(120.0)
        service.pool.start()  # stands for the pool of the new version
        over = client.wait(job.id, timeout=300)
        assert (over.state, over.attempt) == ("succeeded", 2)
        begins = [event.detail for event in client.events(job.id) if event.to_state == "running"]
        assert "goes on from step" in str(begins[1])
        whole = client.wait(client.submit(spec).id, timeout=300)
        assert client.losses(job.id).tobytes() == client.losses(whole.id).tobytes()


# What is special to a database is shown in tests/local/copies.
@pytest.mark.parametrize("database_url", [pytest.param("sqlite", marks=pytest.mark.long), "postgresql"], indirect=True)
def test_a_backup_taken_while_a_job_trains_is_restored_and_the_job_goes_on(
    database_url: str,
    redis_server: RedisServer,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", f"{postgresql_programs()}{os.pathsep}{os.environ['PATH']}")
    with running(database_url, redis_server.of(6), tmp_path / "first") as first:
        done = first.client.wait(first.client.submit(stage="optim", steps=300).id, timeout=300)
        job = first.client.submit(slow_spec(2.0))
        trains_from_a_record(first.client, job.id)
        backup = tmp_path / "a.backup"
        back_up(load(database_url=database_url), backup)
        restored = restored_from(backup, tmp_path, request)
        losses = first.client.losses(done.id)
        undisturbed = first.client.wait(job.id, timeout=300)
        all_losses = first.client.losses(job.id)
    assert undisturbed.attempt == 1
    with running(restored, redis_server.of(7), tmp_path / "second") as second:
        assert second.client.losses(done.id).tobytes() == losses.tobytes()
        over = second.client.wait(job.id, timeout=300)
        assert (over.state, over.attempt) == ("succeeded", 2)
        assert second.client.losses(job.id).tobytes() == all_losses.tobytes()


def restored_from(backup: Path, folder: Path, request: pytest.FixtureRequest) -> str:
    """The URL of a new database of the same kind, restored from the backup."""
    url = f"sqlite:///{folder}/restored/gradyard.db"
    if request.node.callspec.params["database_url"] == "postgresql":
        url = request.getfixturevalue("postgres").make_empty(f"restored_{uuid4().hex}")
    restored = restore(load(database_url=url, state_dir=folder / "restored"), backup)
    assert (restored.jobs, restored.running) == (2, 1)
    return url
