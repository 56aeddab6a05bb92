"""Workers and queues: hosts, slots and devices, what each trains, drains and pauses, and who may change them."""

import re

import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import insert, update

from gradyard.jobs.fleet import HoldKind
from gradyard.jobs.settings import Settings
from gradyard.store import fleet
from gradyard.store.database import Database
from gradyard.store.tables import Claim, Project, Worker
from tests.actors import claimed, submitted, submitted_to, worker_of
from tests.service.conftest import AppWith
from tests.service.dashboard.conftest import Look

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
GPU = "GPU-8f3e2c1a-77aa-4c1d-9d2e-0123456789ab"


def text_of(page: str) -> str:
    """What a person reads of a page, with single spaces."""
    return " ".join(re.sub(r"<[^>]*>", " ", page[page.index("<main") :]).split())


def a_gpu(database: Database) -> None:
    worker = worker_of(database, "gpu-0", "gpu")
    with database.begin() as connection:
        figures = {"utilization_percent": 97.0, "temperature_celsius": 71.0, "memory_used_mib": 40_000}
        device = {"device_name": "NVIDIA H100", "device_uuid": GPU, "device_memory_mib": 81_559}
        connection.execute(update(Worker).where(Worker.id == worker.id).values(figures | device))


@on_sqlite
def test_without_workers_it_says_how_to_start_one(look: Look) -> None:
    page = text_of(look("/workers"))
    assert "No worker is alive." in page
    assert "gradyard worker" in page


def test_a_slot_says_what_it_trains_and_how_fast(look: Look, database: Database, settings: Settings) -> None:
    job_id = submitted(database, settings, name="at work", steps=2000)
    worker = worker_of(database)
    claimed(database, worker)
    with database.begin() as connection:
        connection.execute(update(Worker).values(steps_per_second=118_234.5))
        connection.execute(update(Claim).values(steps_done=740))
    page = look("/workers")
    assert f'href="/jobs/{job_id}">at work</a>' in page
    shown = text_of(page)
    assert "1 host: 1 busy" in shown
    assert "740 of 2,000 steps" in shown
    assert "118,234 steps/s" in shown


def test_a_gpu_shows_its_load_and_its_memory(look: Look, database: Database) -> None:
    a_gpu(database)
    page = text_of(look("/workers"))
    assert "NVIDIA H100" in page
    assert "97 % 71 °C" in page
    assert "39.1 GiB of 79.6 GiB" in page


def test_a_worker_whose_lease_is_over_is_dead_and_says_since_when(look: Look, database: Database) -> None:
    worker = worker_of(database, lease=-60.0)
    with database.begin() as connection:
        connection.execute(update(Worker).values(heartbeat_at=Worker.heartbeat_at - 75))
    page = look("/workers")
    assert "1 dead" in text_of(page)
    assert "dead last seen 1 min ago" in text_of(page)
    assert f"{worker.slot}@host" not in page, "a dead slot is not drained"


def test_a_drain_says_since_when_by_whom_and_why_and_offers_its_end(
    look: Look, client: FlaskClient, database: Database
) -> None:
    a_gpu(database)
    worker_of(database)
    assert client.post("/v1/workers/cpu-0@host/drain", json={"reason": "a new disk"}).status_code == 200
    assert client.post(f"/v1/workers/{GPU}/drain", json={"reason": "Xid 79"}).status_code == 200
    page = look("/workers")
    shown = text_of(page)
    assert "2 drained" in shown
    assert re.search(r"its GPU was drained (now|\d+ s ago) by the administrator: Xid 79", shown)
    assert re.search(r"drained (now|\d+ s ago) by the administrator: a new disk", shown)
    assert 'data-path="workers/cpu-0%40host/undrain"' in page
    assert 'data-path="workers/gpu-0%40host/undrain"' in page
    assert 'data-path="workers/host/drain"' in page, "the host is not drained"


def test_the_slots_of_a_drained_host_are_undrained_with_it(look: Look, client: FlaskClient, database: Database) -> None:
    worker_of(database)
    assert client.post("/v1/workers/host/drain", json={}).status_code == 200
    page = look("/workers")
    assert "The host was drained" in text_of(page)
    assert 'data-path="workers/host/undrain"' in page
    assert "cpu-0%40host/undrain" not in page


@on_sqlite
def test_a_drain_of_what_is_not_here_is_shown_too(look: Look, database: Database) -> None:
    worker_of(database)
    with database.begin() as connection:
        fleet.hold(connection, HoldKind.GPU, GPU, actor="api", reason="sent back to its maker")
    page = look("/workers")
    assert "Drained, and not here now" in page
    assert "sent back to its maker" in page
    assert f'data-path="workers/{GPU}/undrain"' in page


def test_a_queue_says_what_waits_and_why_it_is_paused(
    look: Look, client: FlaskClient, database: Database, settings: Settings
) -> None:
    submitted(database, settings)
    assert client.post("/v1/queues/cpu/pause", json={"reason": "new driver"}).status_code == 200
    page = look("/workers")
    assert "1 waiting, the oldest for" in text_of(page)
    assert re.search(r"paused (now|\d+ s ago) by the administrator: new driver", text_of(page))
    assert 'data-path="queues/cpu/resume"' in page
    assert 'data-path="queues/gpu/pause"' in page
    assert 'data-path="queues/any/pause"' not in page, "no worker listens to it"


def test_an_operator_sees_what_all_projects_train_and_others_their_own(
    app_with: AppWith, database: Database, settings: Settings
) -> None:
    with database.begin() as connection:
        connection.execute(insert(Project).values(id=2, name="physics"))
    job_id = submitted_to(2, database, settings, name="a secret of physics")
    claimed(database, worker_of(database))
    client = app_with(admin_key=SecretStr("s3cret-canary-key")).test_client()
    admin = {"Authorization": "Bearer s3cret-canary-key", "Accept": "text/html"}
    made = client.post("/v1/keys", json={"name": "eve", "project": "default"}, headers=admin).json
    eve = admin | {"Authorization": f"Bearer {made['key']}"}  # type: ignore[index]
    assert (
        f'href="/jobs/{job_id}?project=physics">a secret of physics</a>' in client.get("/workers", headers=admin).text
    )
    page = client.get("/workers", headers=eve).text
    assert "a secret of physics" not in page
    assert "1 job of another project" in page
    assert "data-verb" not in page, "buttons are the operator's"


@on_sqlite
def test_many_slots_are_shown_page_by_page(look: Look, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.dashboard.administration.workers.SLOTS_SHOWN", 2)
    for number in range(3):
        worker_of(database, f"cpu-{number}")
    first = look("/workers")
    assert "cpu-1" in first
    assert "cpu-2" not in first
    (following,) = re.findall(r'rel="next" href="([^"]*)"', first)
    second = look(following)
    assert "cpu-2" in second
    assert "cpu-1" not in second
    assert "First page" in second
