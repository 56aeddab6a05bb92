"""The overview: what runs and waits, what was finished lately, who trains what, what went wrong."""

import pytest
from flask.testing import FlaskClient

from gradyard.jobs.identifiers import new_id
from gradyard.jobs.settings import Settings
from gradyard.jobs.stages.registry import STAGES
from gradyard.store import fleet
from gradyard.store.database import Database
from gradyard.store.fleet import WorkerInfo
from tests.actors import LEASE, claimed, fails, submitted, succeeds, worker_of
from tests.service.dashboard.conftest import Look


def test_an_empty_service_offers_the_tutorial(look: Look) -> None:
    page = look("/")
    assert "No jobs yet" in page
    assert 'data-action="eight-stages"' in page
    assert "No worker is alive" in page


def test_it_tells_what_was_finished_and_what_failed_in_words(
    look: Look, database: Database, settings: Settings
) -> None:
    good = submitted(database, settings)
    succeeds(database, claimed(database, worker_of(database)))
    bad = submitted(database, settings, name="too fast")
    fails(database, claimed(database, worker_of(database, "cpu-1")))
    page = look("/")
    assert "2 <small>finished</small>" in page
    assert "1 failed" in page
    assert "its code raised an error" in page
    assert "it broke" in page
    assert f"/jobs/{bad}" in page
    assert f"/jobs/{good}" not in page
    assert "No jobs yet" not in page


def test_it_tells_which_job_a_slot_trains(look: Look, database: Database, settings: Settings) -> None:
    job_id = submitted(database, settings, name="at work")
    claimed(database, worker_of(database))
    waits = submitted(database, settings)
    page = look("/")
    assert f'href="/jobs/{job_id}">at work</a>' in page
    assert "on 1 of 1 slots" in page
    assert "the oldest for" in page
    assert f"/jobs/{waits}" not in page


def test_it_shows_how_far_a_batch_is(look: Look, client: FlaskClient, database: Database) -> None:
    body = {"name": "rates", "jobs": [{"stage": "nn", "steps": 4}, {"stage": "tensor", "steps": 4}]}
    client.post("/v1/batches", json=body)
    worker = worker_of(database)
    succeeds(database, claimed(database, worker))
    page = look("/")
    assert "rates" in page
    assert "1 of 2" in page
    succeeds(database, claimed(database, worker))
    assert "Batches in progress" in look("/")
    assert "rates" not in look("/")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_paused_queue_says_since_when_and_why(look: Look, client: FlaskClient) -> None:
    assert client.post("/v1/queues/cpu/pause", json={"reason": "new driver"}).status_code == 200
    assert "The queue cpu is paused since" in look("/")
    assert ": new driver" in look("/")


def test_a_service_with_jobs_offers_the_comparison_of_the_eight_stages(
    look: Look, database: Database, settings: Settings
) -> None:
    submitted(database, settings)
    assert "Train and compare the tutorial's eight stages" in look("/")


def test_slots_stand_under_their_pools_with_how_many_train(look: Look, database: Database, settings: Settings) -> None:
    submitted(database, settings)
    claimed(database, worker_of(database))
    assert 'scope="rowgroup"' not in look("/"), "one pool without a name needs no heading"
    stages = {name: stage.numerics_version for name, stage in STAGES.items()}
    for slot in ("gpu-0", "gpu-1"):
        with database.begin() as connection:
            fleet.register(connection, WorkerInfo(new_id(), "host", slot, "gpu", 1, stages, pool="<big>"), LEASE)
    page = look("/")
    assert 'scope="rowgroup">cpu <span class="quiet">1 of 1 train</span>' in page
    assert 'scope="rowgroup">gpu · pool &lt;big&gt; <span class="quiet">0 of 2 train</span>' in page
    assert page.index("1 of 1 train") < page.index("cpu-0 <") < page.index("0 of 2 train") < page.index("gpu-1 <")
