"""What /metrics counts never falls: not when jobs are deleted, not when a slot or an API process starts again."""

from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from sqlalchemy import delete

from gradyard.jobs.settings import Settings
from gradyard.jobs.storage import RetentionRule
from gradyard.store import fleet
from gradyard.store.database import Database
from gradyard.store.fleet import HeartbeatReport
from gradyard.store.retention import totals
from gradyard.store.tables import Worker
from service.http.services import Services
from service.representation import prometheus
from tests.actors import claimed, fails, submitted, succeeds, worker_of
from tests.service.conftest import AppWith
from tests.store.retention.projects_for_tests import measured, run


@pytest.fixture(autouse=True)
def always_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the database at each scrape."""
    monkeypatch.setattr(prometheus, "FRESH_SECONDS", 0.0)


def samples(client: FlaskClient) -> dict[tuple[str, ...], float]:
    """Every sample of /metrics by its name and the values of its labels, in the order of the labels' names."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(client.get("/metrics").text) for sample in family.samples
    }  # fmt: skip


def services_of(app: Any) -> Services:
    services = app.extensions["gradyard"]
    assert isinstance(services, Services)
    return services


def done(database: Database, settings: Settings, **spec: object) -> UUID:
    job = submitted(database, settings, **spec)
    succeeds(database, claimed(database, worker_of(database)))
    return job


def test_the_count_of_finished_jobs_outlives_their_deletion(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    jobs = [done(database, settings) for _ in range(3)] + [done(database, settings, stage="nn")]
    failed = submitted(database, settings)
    fails(database, claimed(database, worker_of(database)))
    cancelled = submitted(database, settings)
    client.post(f"/v1/jobs/{cancelled}/cancel")
    before = samples(client)
    name = "gradyard_jobs_finished_total"
    counts = {labels[1:]: count for labels, count in before.items() if labels[0] == name}
    assert counts == {
        ("tensor", "succeeded"): 3, ("nn", "succeeded"): 1, ("tensor", "failed"): 1, ("tensor", "cancelled"): 1,
    }  # fmt: skip
    for job in (*jobs[:2], jobs[3], failed, cancelled):
        assert client.delete(f"/v1/jobs/{job}").status_code == 204
    after = samples(client)
    assert {labels[1:]: count for labels, count in after.items() if labels[0] == name} == counts
    assert after["gradyard_jobs", "", "tensor", "succeeded"] == 1


def test_deleting_many_at_once_counts_each(client: FlaskClient, database: Database, settings: Settings) -> None:
    for _ in range(5):
        done(database, settings)
    with database.begin() as connection:
        connection.exec_driver_sql("DELETE FROM jobs")
    assert samples(client)["gradyard_jobs_finished_total", "tensor", "succeeded"] == 5


def test_a_job_that_is_deleted_while_it_waits_is_not_counted(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    submitted(database, settings)
    with database.begin() as connection:
        connection.exec_driver_sql("DELETE FROM jobs")
    assert not [labels for labels in samples(client) if labels[0] == "gradyard_jobs_finished_total"]


def test_the_counts_of_a_slot_go_on_when_it_comes_back_and_are_not_shown_meanwhile(
    client: FlaskClient, database: Database
) -> None:
    name = ("gradyard_runner_deaths_total", "cpu-0@host")
    for expected in (2, 4):
        worker = worker_of(database)
        with database.begin() as connection:
            fleet.heartbeat(connection, worker, 15.0, report=HeartbeatReport(happened={"runner_deaths": 2}))
        assert samples(client)[name] == expected
        with database.begin() as connection:
            connection.execute(delete(Worker))
        assert name not in samples(client)


def test_waiting_and_training_times_are_histograms_of_all_slots_together(
    client: FlaskClient, database: Database
) -> None:
    for slot in ("cpu-0@host", "cpu-1@host"):
        with database.begin() as connection:
            fleet.count(connection, slot, fleet.WAITING.counts([0.05, 0.1, 2.0, 1e9]))
            fleet.count(connection, slot, fleet.TRAINING.counts([0.2]))
    found = samples(client)
    waiting = "gradyard_job_waiting_seconds"
    assert [found[f"{waiting}_bucket", bound] for bound in ("0.1", "0.5", "1.0", "5.0", "86400.0", "+Inf")] == [
        4, 4, 4, 6, 6, 8,
    ]  # fmt: skip
    assert found[f"{waiting}_count",] == 8
    assert found[f"{waiting}_sum",] == pytest.approx(2 * (1e9 + 2.15))
    assert found["gradyard_job_training_seconds_bucket", "0.5"] == 2
    assert found["gradyard_job_training_seconds_sum",] == pytest.approx(0.4)


def test_a_claim_tells_how_long_a_job_waited_at_its_first_attempt_alone(database: Database, settings: Settings) -> None:
    submitted(database, settings)
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE jobs SET submitted_at = submitted_at - 100")
    (member,) = claimed(database, worker_of(database)).members
    assert member.waited_seconds == pytest.approx(100.0, abs=30.0)
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE jobs SET state = 'queued', claim_id = NULL")
    (again,) = claimed(database, worker_of(database)).members
    assert again.waited_seconds is None


def test_two_processes_of_the_api_show_the_requests_of_both_and_a_new_one_goes_on(app_with: AppWith) -> None:
    first, second = app_with(), app_with()
    for app in (first, second):
        for _ in range(3):
            app.test_client().get("/v1/stages")
        services_of(app).request_times.write()
    count = ("gradyard_request_seconds_count", "GET", "/v1/stages", "2xx")
    for app in (first, second, app_with()):
        assert samples(app.test_client())[count] == 6


def test_senders_cannot_make_series(client: FlaskClient, app_with: AppWith) -> None:
    app = app_with()
    for number in range(20):
        app.test_client().get(f"/nowhere/{number}")
        app.test_client().open("/v1/jobs", method=f"WORD{number}")
        app.test_client().get(f"/v1/jobs/{UUID(int=number)}")
    services_of(app).request_times.write()
    kinds = {labels[1:] for labels in samples(client) if labels[0] == "gradyard_request_seconds_count"}
    assert kinds == {
        ("GET", "none", "4xx"), ("OTHER", "none", "4xx"), ("GET", "/v1/jobs/<job_id>", "4xx"),
    }  # fmt: skip


def test_requests_without_a_valid_key_are_counted(app_with: AppWith) -> None:
    app = app_with(admin_key=SecretStr("s3cret-canary-key"))
    client, right = app.test_client(), {"Authorization": "Bearer s3cret-canary-key"}
    for headers in ({}, {"Authorization": "Bearer gradyard_wrong"}, right):
        client.get("/v1/jobs", headers=headers)
    services_of(app).request_times.write()
    found = client.get("/metrics", headers=right).text
    assert "\ngradyard_unauthorized_requests_total 2.0\n" in found


def test_what_is_stored_and_was_let_go_is_told(client: FlaskClient, database: Database, settings: Settings) -> None:
    submitted(database, settings)
    succeeds(database, claimed(database, worker_of(database)))
    assert not [labels for labels in samples(client) if labels[0] == "gradyard_stored_bytes"]
    measured(database)
    totals.add_up(database, {1: 0.0})
    assert samples(client)["gradyard_stored_bytes", "losses", "default"] == 16
    assert run(database, RetentionRule(days=1e-9)).jobs == 1
    totals.add_up(database, {1: 0.0})
    found = samples(client)
    assert found["gradyard_stored_bytes", "losses", "default"] == 0
    assert found[("gradyard_jobs_expired_total",)] == 1


def test_request_times_are_kept_while_the_database_is_away(app_with: AppWith, tmp_path: Any) -> None:
    app = app_with()
    times = services_of(app).request_times
    app.test_client().get("/healthz")
    database, times._database = times._database, Database(f"sqlite:///{tmp_path}/missing/x.db")
    times.write()
    times._database = database
    times.write()
    assert samples(app.test_client())["gradyard_request_seconds_count", "GET", "/healthz", "2xx"] == 1


def test_a_slot_is_counted_once_and_jobs_for_any_device_have_no_slots_of_their_own(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    worker_of(database, "cpu-0")
    worker_of(database, "gpu-0", "gpu")
    submitted(database, settings)
    claimed(database, worker_of(database, "cpu-1"))
    found = samples(client)
    live = {labels[1]: count for labels, count in found.items() if labels[0] == "gradyard_queue_live_slots"}
    idle = {labels[1]: count for labels, count in found.items() if labels[0] == "gradyard_queue_idle_slots"}
    assert (live, idle) == ({"cpu": 2, "gpu": 1}, {"cpu": 1, "gpu": 1})
    assert found["gradyard_queue_depth", "any"] == 0
    shown = {each["name"]: each for each in client.get("/v1/queues").json["queues"]}  # type: ignore[index]
    assert {name: (each["live_slots"], each["idle_slots"]) for name, each in shown.items()} == {
        "cpu": (2, 1), "gpu": (1, 1), "any": (0, 0), "blocked": (0, 0),
    }  # fmt: skip


def test_a_metric_has_one_name_and_a_sentence(client: FlaskClient, database: Database, settings: Settings) -> None:
    done(database, settings)
    families = list(text_string_to_metric_families(client.get("/metrics").text))
    names = [family.name for family in families]
    assert len(names) == len(set(names))
    assert all(family.documentation and family.type != "unknown" for family in families)
