"""The page of one job: what came of it, where its time went, what happened, what it left."""

import re
from types import SimpleNamespace

import pytest
from flask.testing import FlaskClient

from gradyard.jobs.settings import Settings
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.lifecycle import Outcome
from tests.actors import claimed, fails, progress_of, submitted, succeeds, worker_of
from tests.service.dashboard.conftest import Look


def test_a_succeeded_job_shows_its_figures_without_scripts(look: Look, database: Database, settings: Settings) -> None:
    job_id = submitted(database, settings, name="mine", tags={"week": "3"})
    succeeds(database, claimed(database, worker_of(database)))
    page = look(f"/jobs/{job_id}")
    assert "<polyline" in page
    assert '<mi>y</mi><mo>=</mo><mn title="0.5">0.5</mn><mo>+</mo><mn title="1.5">1.5</mn><mi>x</mi>' in page
    assert "<code>0.5</code>" in page
    assert "<dt>lowest</dt><dd>1 <small>at step 3</small></dd>" in page
    assert "waited in the queue" in page
    assert "claimed" in page
    assert "data-live" not in page, "nothing of it will change"


def test_the_model_is_drawn_over_its_data(look: Look, database: Database, settings: Settings) -> None:
    data = {"kind": "inline", "x": [1.0, 0.0, 2.0], "y": [5.0, 1.0, 3.5]}
    job_id = submitted(database, settings, dataset=data)
    succeeds(database, claimed(database, worker_of(database)))
    page = look(f"/jobs/{job_id}")
    assert '"x": [0.0, 1.0, 2.0], "y": [1.0, 5.0, 3.5]' in page
    assert '"fitted": [0.5, 2.0, 3.5]' in page
    assert '"residual": [0.5, 3.0, 0.0]' in page


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_model_of_changing_order_is_drawn_with_the_terms_that_a_step_may_have(
    look: Look, database: Database, settings: Settings
) -> None:
    data = {"kind": "inline", "x": [-1.0, 0.0, 1.0, 2.0], "y": [1.0, 2.0, 3.0, 4.0]}
    job_id = submitted(database, settings, stage="dynamic", dataset=data)
    claim = claimed(database, worker_of(database))
    with database.begin() as connection:
        assert lifecycle.record(connection, progress_of(claim.members[0], [4.0, 3.0, 2.0, 1.0]))
        outcome = Outcome({"a": 1.0, "b": 0.0, "c": 0.0, "d": 0.0, "e": 0.5}, "y = 1", {"engine": "eager"})
        assert lifecycle.succeed(connection, claim.members[0].held, outcome, actor="worker")
    page = look(f"/jobs/{job_id}")
    assert '"fitted": [1.0, 1.0, 1.0, 1.0]' in page
    assert ": [1.5, 1.0, 1.5, 9.0]" in page, "with e x^4"
    assert ": [1.0, 1.0, 2.0, 25.0]" in page, "with e x^4 + e x^5"
    assert "the terms that a step may have" in page


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_its_files_are_asked_for_in_the_project_that_is_shown(
    look: Look, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.dashboard.job.EVENTS_SHOWN", 1)
    array = SimpleNamespace(name="weights", dtype="<f4", shape=[2])
    monkeypatch.setattr("gradyard.store.queries.artifacts_of", lambda *_: [array])
    job_id = submitted(database, settings)
    succeeds(database, claimed(database, worker_of(database)))
    page = look(f"/jobs/{job_id}?project=default")
    of_the_api = re.findall(rf'href="(/v1/jobs/{job_id}/[^"]+)"', page)
    assert {each.split("/")[4].partition("?")[0] for each in of_the_api} >= {"events", "receipt", "artifacts"}
    assert [each for each in of_the_api if not each.endswith("?project=default")] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_curve_that_is_very_long_is_not_read_at_every_refresh(
    look: Look, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = submitted(database, settings)
    succeeds(database, claimed(database, worker_of(database)))
    monkeypatch.setattr("service.dashboard.charts.losses.MOST_LOSSES", 3)
    assert "Loss: first, lowest, last" in look(f"/jobs/{job_id}")


def test_a_failed_job_says_why(look: Look, database: Database, settings: Settings) -> None:
    job_id = submitted(database, settings)
    fails(database, claimed(database, worker_of(database)))
    page = look(f"/jobs/{job_id}")
    assert "It failed: its code raised an error." in page
    assert "it broke" in page


def test_a_job_that_waits_says_for_what_and_is_kept_live(look: Look, database: Database, settings: Settings) -> None:
    page = look(f"/jobs/{submitted(database, settings)}")
    assert "It waits: no cpu worker is alive. Place 1 in the queue." in page
    assert 'data-live="1"' in page
    assert "No losses are recorded yet." in page


def test_a_beginning_of_an_id_leads_to_the_job_and_a_deleted_one_is_gone(
    look: Look, client: FlaskClient, database: Database, settings: Settings
) -> None:
    job_id = submitted(database, settings)
    assert str(job_id) in look(f"/jobs/{str(job_id)[:13]}")
    fails(database, claimed(database, worker_of(database)))
    assert client.delete(f"/v1/jobs/{job_id}").status_code == 204
    assert "was deleted" in look(f"/jobs/{job_id}", 410)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_batch_at_the_address_of_a_job_is_named(look: Look, client: FlaskClient) -> None:
    batch = client.post("/v1/batches", json={"jobs": [{"stage": "nn"}]}).json["id"]  # type: ignore[index]
    assert f"{batch} is a batch, not a job" in look(f"/jobs/{batch}", 404)
