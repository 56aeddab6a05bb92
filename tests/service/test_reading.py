"""Jobs are found, listed in pages, waited for, and say why they wait."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from gradyard.jobs.identifiers import new_id
from gradyard.jobs.settings import Settings
from gradyard.store import fleet, lifecycle
from gradyard.store.database import Database
from gradyard.store.fleet import HeartbeatReport, WorkerInfo
from tests.actors import LEASE, claimed, fails, progress_of, submitted, succeeds, worker_of
from tests.service.conftest import AppWith
from tests.stack.until import until

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def get(client: FlaskClient, path: str) -> Any:
    response = client.get(path)
    assert response.status_code == 200, response.text
    return response.json


def test_a_succeeded_job_shows_what_came_of_it(client: FlaskClient, database: Database, settings: Settings) -> None:
    job_id = submitted(database, settings, name="mine", tags={"week": "3"})
    succeeds(database, claimed(database, worker_of(database)))
    job = get(client, f"/v1/jobs/{job_id}")
    assert (job["state"], job["name"], job["tags"]) == ("succeeded", "mine", {"week": "3"})
    assert (job["steps"], job["steps_done"], job["attempt"], job["waiting"]) == (4, 4, 1, None)
    result = job["result"]
    assert list(result["coefficients"].items()) == [("a", 0.5), ("b", 1.5)]
    assert result["formula"] == "y = 0.5 + 1.5 x"
    assert result["loss"] == {
        "first": 4.0, "last": 1.0, "min": 1.0, "min_step": 3, "diverged_at": None,
        "attainable": pytest.approx(8.81716541),
    }  # fmt: skip
    assert result["environment"] == {"engine": "eager"}
    timings = result["timings"]
    assert (timings["train_seconds"], timings["steps_per_second"]) == (0.25, 16.0)
    assert (timings["pack_size"], timings["records"], timings["attempts"]) == (1, 1, 1)
    assert 0 <= timings["queued_seconds"] < 60


def test_a_failed_job_says_why_and_has_no_result_without_losses(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job_id = submitted(database, settings)
    fails(database, claimed(database, worker_of(database)))
    job = get(client, f"/v1/jobs/{job_id}")
    assert (job["state"], job["reason"], job["message"], job["result"]) == ("failed", "error", "it broke", None)


def test_a_cancelled_job_keeps_the_losses_that_it_had(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job_id = submitted(database, settings)
    [member] = claimed(database, worker_of(database)).members
    with database.begin() as connection:
        lifecycle.record(connection, progress_of(member, [4.0, 3.0]))
        lifecycle.request_cancel(connection, job_id, actor="test")
        lifecycle.cancel_by_worker(connection, member.held, actor="worker")
    result = get(client, f"/v1/jobs/{job_id}")["result"]
    assert (result["loss"]["first"], result["loss"]["last"], result["coefficients"]) == (4.0, 3.0, None)


def test_a_running_job_shows_the_steps_of_its_last_heartbeat(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job_id, worker = submitted(database, settings, steps=1000), worker_of(database)
    claim = claimed(database, worker)
    with database.begin() as connection:
        fleet.heartbeat(connection, worker, LEASE, claim.id, 700)
    job = get(client, f"/v1/jobs/{job_id}")
    assert (job["state"], job["steps_done"], job["result"], job["waiting"]) == ("running", 700, None, None)


@pytest.mark.parametrize("text", ["1", "x" * 36, "{%s}", "urn:uuid:%s", "%%"])
@on_sqlite
def test_what_is_no_job_is_not_found(client: FlaskClient, text: str) -> None:
    for path in ("", "/losses", "/events"):
        response = client.get(f"/v1/jobs/{text.replace('%s', str(uuid4()))}{path}")
        assert (response.status_code, response.content_type) == (404, "application/problem+json")


def test_the_moves_of_a_job_are_listed_in_order(client: FlaskClient, database: Database, settings: Settings) -> None:
    job_id = submitted(database, settings)
    succeeds(database, claimed(database, worker_of(database)))
    events = get(client, f"/v1/jobs/{job_id}/events")["events"]
    assert [(event["sequence"], event["from"], event["to"], event["attempt"]) for event in events] == [
        (1, None, "queued", 0), (2, "queued", "running", 1), (3, "running", "succeeded", 1),
    ]  # fmt: skip
    assert (events[0]["actor"], events[2]["actor"]) == ("test", "worker")
    assert all(event["at"].endswith("Z") for event in events)


def test_pages_hold_every_job_once_the_newest_first(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    ids = [str(submitted(database, settings)) for _ in range(7)]
    seen: list[str] = []
    path = "/v1/jobs?limit=3"
    sizes = []
    while path:
        page = get(client, path)
        sizes.append(len(page["jobs"]))
        seen += [job["id"] for job in page["jobs"]]
        submitted(database, settings)  # what comes meanwhile moves nothing
        path = page["next_cursor"] and f"/v1/jobs?limit=3&cursor={page['next_cursor']}"
    assert sizes == [3, 3, 1]
    assert seen == ids[::-1]


def test_lists_are_filtered_by_state_and_stage(client: FlaskClient, database: Database, settings: Settings) -> None:
    done = submitted(database, settings)
    succeeds(database, claimed(database, worker_of(database)))
    waiting = submitted(database, settings, stage="nn")

    def listed(query: str) -> list[str]:
        return [job["id"] for job in get(client, f"/v1/jobs?{query}")["jobs"]]

    assert listed("") == [str(waiting), str(done)]
    assert listed("state=succeeded") == [str(done)]
    assert listed("state=queued&stage=nn") == [str(waiting)]
    assert listed("state=queued&stage=tensor") == []
    assert get(client, "/v1/jobs?state=queued")["jobs"][0]["waiting"]["position"] is None


@on_sqlite
@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/limit"), ("limit=201", "/limit"), ("limit=x", "/limit"), ("limit=", "/limit"),
        ("state=done", "/state"), ("state=", "/state"), ("stage=mlp", "/stage"), ("sort=id", "/sort"),
        ("cursor=", "/cursor"), ("cursor=abc", "/cursor"), ("cursor=%00", "/cursor"), ("cursor=%C3%A9", "/cursor"),
        ("cursor=" + "A" * 24, "/cursor"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named(client: FlaskClient, query: str, pointer: str) -> None:
    response = client.get(f"/v1/jobs?{query}")
    problem: Any = response.json
    assert (response.status_code, problem["type"]) == (422, "parameters_invalid")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


@on_sqlite
@pytest.mark.parametrize("wait", ["-1", "61", "nan", "inf", "x", ""])
def test_a_wrong_wait_is_refused(client: FlaskClient, wait: str) -> None:
    assert client.get(f"/v1/jobs/{uuid4()}?wait={wait}").status_code == 422


def test_a_wait_ends_with_the_job(client: FlaskClient, database: Database, settings: Settings) -> None:
    job_id = submitted(database, settings)
    claim = claimed(database, worker_of(database))
    ended = threading.Timer(0.3, succeeds, (database, claim))
    begin = time.monotonic()
    ended.start()
    job = get(client, f"/v1/jobs/{job_id}?wait=30")
    seconds = time.monotonic() - begin
    ended.join()
    assert (job["state"], 0.3 <= seconds < 20) == ("succeeded", True)
    assert job["result"]["coefficients"] == {"a": 0.5, "b": 1.5}


def test_a_wait_that_is_over_first_shows_the_job_as_it_stands(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    job_id = submitted(database, settings)
    begin = time.monotonic()
    assert get(client, f"/v1/jobs/{job_id}?wait=0.2")["state"] == "queued"
    assert 0.2 <= time.monotonic() - begin < 20


@on_sqlite
def test_waiting_for_no_job_does_not_wait(client: FlaskClient) -> None:
    begin = time.monotonic()
    assert client.get(f"/v1/jobs/{uuid4()}?wait=30").status_code == 404
    assert time.monotonic() - begin < 20


@on_sqlite
def test_more_waits_than_places_are_sent_away(
    app_with: AppWith, database: Database, settings: Settings, admitted: list[object]
) -> None:
    app = app_with(max_waiting_requests=2)
    job_id = submitted(database, settings)
    with ThreadPoolExecutor(2) as pool:
        waits = [pool.submit(app.test_client().get, f"/v1/jobs/{job_id}?wait=60") for _ in range(2)]
        until(lambda: len(admitted) == 2)
        away = app.test_client().get(f"/v1/jobs/{job_id}?wait=60")
        succeeds(database, claimed(database, worker_of(database)))
        assert [wait.result().status_code for wait in waits] == [200, 200]
    assert away.status_code == 503
    assert away.json is not None
    assert (away.json["type"], away.headers["Retry-After"]) == ("too_many_waiting", "1")
    # the places are free again
    assert get(app.test_client(), f"/v1/jobs/{job_id}?wait=30")["state"] == "succeeded"


def why(client: FlaskClient, job_id: object) -> tuple[int, str]:
    waiting = get(client, f"/v1/jobs/{job_id}")["waiting"]
    return waiting["position"], waiting["reason"]


def test_a_queued_job_says_why_it_waits(client: FlaskClient, database: Database, settings: Settings) -> None:
    first = submitted(database, settings)
    second = submitted(database, settings, device="gpu")
    anywhere = submitted(database, settings, device="auto")
    assert why(client, first) == (1, "no cpu worker is alive")
    assert why(client, second) == (1, "no gpu worker is alive")
    assert why(client, anywhere) == (3, "no worker is alive")  # it is behind both at the slots of either queue
    client.post(f"/v1/jobs/{anywhere}/cancel")  # it has a line of its own, whose order among the others is by the clock
    worker_of(database)
    assert why(client, first) == (1, "a worker is about to take it")
    assert why(client, submitted(database, settings, pool="lab")) == (2, "no cpu worker of pool lab is alive")
    assert why(client, submitted(database, settings)) == (3, "a worker is about to take it")


def test_a_job_behind_busy_slots_says_so(client: FlaskClient, database: Database, settings: Settings) -> None:
    submitted(database, settings, steps=5)
    claimed(database, worker_of(database))
    waiting = submitted(database, settings)
    assert why(client, waiting) == (1, "every cpu slot is busy")
    listed = get(client, "/v1/jobs?state=queued")["jobs"]
    assert [job["waiting"]["reason"] for job in listed] == ["every cpu slot is busy"]


def test_a_job_for_any_device_says_which_kind_is_about_to_take_it(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    large: dict[str, Any] = {"steps": 20_000, "dataset": {"points": 1_000_000}}
    worker_of(database)
    gpu = worker_of(database, "gpu-0", "gpu")
    job = submitted(database, settings, stage="autograd", device="auto", **large)
    estimate = "auto chose gpu: estimated to take 16 s on 1 gpu slot, 49 s on 1 cpu slot"
    assert why(client, job) == (1, f"a gpu worker is about to take it; {estimate}")
    claimed(database, gpu)
    with database.begin() as connection:
        fleet.heartbeat(connection, gpu, LEASE, report=HeartbeatReport(steps_per_second=10_000.0))
    second = submitted(database, settings, stage="autograd", device="auto", **large)
    estimate = "auto chose gpu: estimated to take 10 s on 1 gpu slot, 49 s on 1 cpu slot"
    assert why(client, second) == (1, f"every gpu slot is busy; {estimate}")
    listed = get(client, "/v1/jobs?state=queued")["jobs"]
    assert [each["waiting"]["reason"] for each in listed] == [f"every gpu slot is busy; {estimate}"]


def test_a_job_of_a_stage_that_no_worker_has_says_so(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    with database.begin() as connection:
        fleet.register(connection, WorkerInfo(new_id(), "host", "cpu-0", "cpu", 1, {"tensor": 9}), LEASE)
    assert why(client, submitted(database, settings)) == (1, "no cpu worker has stage tensor 1")


def test_a_job_that_is_put_off_says_for_how_long(client: FlaskClient, database: Database, settings: Settings) -> None:
    job_id = submitted(database, settings)
    [member] = claimed(database, worker_of(database)).members
    with database.begin() as connection:
        lifecycle.hand_back(connection, member.held, actor="worker", detail="x", wait_seconds=12)
    assert why(client, job_id)[1] in ("it is retried in 12 s", "it is retried in 11 s")
