"""A database loses its last commits under a live worker, and the job's history has no hole and no other bits."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

import migrations
from gradyard.store.database import Database
from tests.servers import RedisServer
from tests.snapshot import Snapshot
from tests.stack.conftest import Hurt
from tests.stack.service_processes import Service, at_once, slow_spec
from tests.stack.until import until

pytestmark = pytest.mark.stack
TRAINS_SECONDS = 8.0  # so that a busy machine puts the snapshot back while it still trains


@pytest.fixture(params=[pytest.param("sqlite", marks=pytest.mark.long), "postgresql"])
def service(request: pytest.FixtureRequest, redis_server: RedisServer, tmp_path: Path) -> Iterator[Service]:
    """A service whose workers record every 0.3 s."""
    if request.param == "postgresql":
        hurt: Hurt = request.getfixturevalue("hurt")
        yield hurt.service
        return
    url = f"sqlite:///{tmp_path / 'gradyard.db'}"
    migrations.upgrade(url)
    running = Service(url, redis_server.of(11), tmp_path, GRADYARD_RECORD_SECONDS="0.3")
    try:
        running.start()
        yield running
    finally:
        running.stop()


def test_a_job_whose_records_were_lost_goes_on_from_what_is_there(service: Service) -> None:
    client, database = service.client, Database(service.environment["DATABASE_URL"])
    spec = slow_spec(TRAINS_SECONDS)
    undisturbed = client.wait(client.submit(at_once(spec)).id, timeout=600)
    job = client.submit(spec)
    before = _snapshot_beyond(100, database, job.id, service)
    _snapshot_beyond(before.recorded_to, database, job.id, service)
    before.put_back()
    ended = client.wait(job.id, timeout=600)
    database.close()
    assert ended.succeeded, ended.message
    assert client.losses(job.id).tobytes() == client.losses(undisturbed.id).tobytes()
    assert ended.coefficients == undisturbed.coefficients
    (lost,) = [event for event in client.events(job.id) if event.kind == "records_lost"]
    assert f"the database has its losses up to step {before.recorded_to}, and this record begins" in str(lost.detail)


def _snapshot_beyond(step: int, database: Database, job_id: str, service: Service) -> Snapshot:
    """The job as it is once it has losses beyond that step."""
    taken: list[Snapshot] = []

    def is_beyond() -> bool:
        taken.append(Snapshot(database, UUID(job_id)))
        return taken[-1].recorded_to > step

    until(is_beyond, [service.pool])
    return taken[-1]
