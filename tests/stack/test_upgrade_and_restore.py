"""Upgrades and backups work as docs/operations.md promises, also while jobs train."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from gradyard import Client
from gradyard.jobs.settings import load
from gradyard.local.copies.backup import back_up
from gradyard.local.copies.restore import restore
from gradyard.store.database import Database
from tests.servers import RedisServer, postgresql_programs
from tests.stack.service_processes import LONGER_AND_LONGER, Service, at_once, disturbed, slow_spec
from tests.stack.until import until

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


def trains_from_a_record(client: Client, job_id: str) -> None:
    """Wait until the job has recorded its first losses."""
    until(lambda: client.job(job_id).steps_done)


@contextlib.contextmanager
def next_version(url: str) -> Iterator[None]:
    """During the block the database is as the next version's `gradyard db upgrade` left it."""
    database = Database(url)
    with database.begin() as connection:
        was = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
        connection.exec_driver_sql("ALTER TABLE jobs ADD COLUMN of_the_next_version INTEGER")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9998_pre'")
    try:
        yield
    finally:
        with database.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE jobs DROP COLUMN of_the_next_version")
            connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{was}'")
        database.close()


@pytest.mark.parametrize("service", ["postgresql"], indirect=True)
def test_a_rolling_upgrade_redoes_no_step(service: Service) -> None:
    client = service.client

    def upgrade() -> None:
        tables.close()  # of an earlier try
        tables.enter_context(next_version(service.environment["DATABASE_URL"]))
        assert client.readiness().status == "ready"
        service.pool.terminate()
        assert service.pool.wait(120.0)
        service.pool.start()  # stands for the pool of the new version

    with contextlib.ExitStack() as tables:
        spec, ended = disturbed(client, upgrade)
        assert (ended.state, ended.attempt) == ("succeeded", 2)
        begins = [event.detail for event in client.events(ended.id) if event.to_state == "running"]
        assert "goes on from step" in str(begins[1])
        whole = client.wait(client.submit(at_once(spec)).id, timeout=300)
        assert client.losses(ended.id).tobytes() == client.losses(whole.id).tobytes()


def test_a_backup_taken_while_a_job_trains_is_restored_and_the_job_goes_on(
    service: Service, redis_server: RedisServer, tmp_path: Path, request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("PATH", f"{postgresql_programs()}{os.pathsep}{os.environ['PATH']}")
    first, url = service.client, service.environment["DATABASE_URL"]
    done = first.wait(first.submit(stage="optim", steps=300).id, timeout=300)
    for seconds in LONGER_AND_LONGER:
        job = first.submit(slow_spec(seconds + 1.0))
        trains_from_a_record(first, job.id)
        backup = tmp_path / f"{seconds}.backup"
        back_up(load(database_url=url), backup)
        if first.job(job.id).state == "running":  # and so it was in the backup
            break
    restored = restored_from(backup, tmp_path, request)
    losses = first.losses(done.id)
    undisturbed = first.wait(job.id, timeout=300)
    assert undisturbed.attempt == 1
    with running(restored, redis_server.of(7), tmp_path / "second") as second:
        assert second.client.losses(done.id).tobytes() == losses.tobytes()
        over = second.client.wait(job.id, timeout=300)
        assert (over.state, over.attempt) == ("succeeded", 2)
        assert second.client.losses(job.id).tobytes() == first.losses(job.id).tobytes()


def restored_from(backup: Path, folder: Path, request: pytest.FixtureRequest) -> str:
    """The URL of a new database of the same kind, restored from the backup."""
    url = f"sqlite:///{folder}/restored/gradyard.db"
    if request.node.callspec.params["service"] == "postgresql":
        url = request.getfixturevalue("postgres").make_empty(f"restored_{uuid4().hex}")
    restored = restore(load(database_url=url, state_dir=folder / "restored"), backup)
    assert (restored.jobs >= 2, restored.running) == (True, 1)
    return url
