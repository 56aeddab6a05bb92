"""The Client sends the documented requests, retries them safely, and returns answers as objects."""

import io
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from gradyard import AnswerNotUnderstood, Client, JobNotFound, RefusedByService, Unreachable, WaitTimeout
from gradyard.jobs.states import State
from gradyard.shapes import Job
from tests.client.service_for_tests import JOB_ID, Asked, FakeService, Said, answering, job, problem, result


@pytest.fixture(autouse=True)
def nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GRADYARD_URL", raising=False)
    monkeypatch.setenv("GRADYARD_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def refused() -> str:
    """A URL at which no server listens."""
    with answering(Said()) as service:
        pass
    return service.url


def test_a_submitted_job_comes_back_typed() -> None:
    with answering(Said(202, job(warnings=[{"pointer": "/x", "message": "m"}]))) as service:
        with Client(service.url) as client:
            submitted = client.submit({"stage": "nn"}, steps=5, learning_rate=np.float64(0.5))
    assert submitted.id == JOB_ID
    assert submitted.state is State.QUEUED
    assert submitted.submitted_at is not None
    assert submitted.submitted_at.tzinfo is not None
    assert not submitted.finished
    assert (service.asked[0].method, service.asked[0].path) == ("POST", "/v1/jobs")
    assert json.loads(service.asked[0].body) == {"stage": "nn", "steps": 5, "learning_rate": 0.5}


def test_a_key_is_always_sent_and_differs_between_jobs_unless_given() -> None:
    with answering(Said(202, job())) as service, Client(service.url, key="secret") as client:
        client.submit(stage="nn")
        client.submit(stage="nn")
        client.submit(stage="nn", idempotency_key="mine")
    keys = [asked.headers["Idempotency-Key"] for asked in service.asked]
    assert len(set(keys)) == 3
    assert keys[2] == "mine"
    assert service.asked[0].headers["Authorization"] == "Bearer secret"


def test_a_lost_answer_is_asked_for_again_with_the_same_key_and_body() -> None:
    with answering(Said(hang_up=True), Said(hang_up=True), Said(202, job())) as service:
        with Client(service.url) as client:
            assert client.submit(stage="nn").id == JOB_ID
    assert len(service.asked) == 3
    assert len({(asked.headers["Idempotency-Key"], asked.body) for asked in service.asked}) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_service_is_asked_again_when_it_says(status: int) -> None:
    busy = problem(status, "busy")
    with answering(Said(status, busy.body, {"Retry-After": "1"}), Said(202, job())) as service:
        began = time.monotonic()
        with Client(service.url) as client:
            client.submit(stage="nn")
    assert time.monotonic() - began >= 1.0
    assert len(service.asked) == 2


def test_a_service_busy_for_longer_than_our_patience_is_an_error_at_once() -> None:
    busy = problem(503, "The database does not answer")
    with answering(Said(503, busy.body, {"Retry-After": "60"})) as service:
        began = time.monotonic()
        with Client(service.url, retry_seconds=5) as client, pytest.raises(RefusedByService, match="does not answer"):
            client.submit(stage="nn")
    assert time.monotonic() - began < 30


def test_a_refused_connection_is_unreachable_after_the_deadline_and_the_message_helps(refused: str) -> None:
    began = time.monotonic()
    with (
        Client(refused, retry_seconds=0.4) as client,
        pytest.raises(Unreachable, match=r"refused.*gradyard up") as caught,
    ):
        client.job(JOB_ID)
    assert time.monotonic() - began < 30
    assert "\n" not in str(caught.value)


def test_a_wrong_address_is_an_error_at_once() -> None:
    with Client("ftp.example.org") as client, pytest.raises(Unreachable, match="http://"):
        client.stages()


def test_a_refusal_carries_status_title_detail_and_errors() -> None:
    errors = [{"pointer": "/steps", "message": "must be positive"}, {"pointer": "/x", "message": "there is no such"}]
    with answering(problem(422, "The spec is not valid", "2 problems", errors=errors)) as service:
        with Client(service.url) as client, pytest.raises(RefusedByService) as caught:
            client.submit(stage="nn", steps=-1)
    assert caught.value.status == 422
    assert [error.pointer for error in caught.value.errors] == ["/steps", "/x"]
    assert str(caught.value) == "The spec is not valid: /steps: must be positive; /x: there is no such (422)"
    assert len(service.asked) == 1


def test_a_job_that_is_not_there_has_its_own_error() -> None:
    with answering(problem(404, "There is no such job")) as service, Client(service.url) as client:
        with pytest.raises(JobNotFound):
            client.job("nothing/../x")
    assert service.asked[0].path == "/v1/jobs/nothing%2F..%2Fx"


@pytest.mark.parametrize("body", [b"<html>", [], {"id": 1}, {**job(), "state": "dancing"}])
def test_the_answer_of_another_program_is_not_understood(body: object) -> None:
    with answering(Said(200, body)) as service, Client(service.url) as client:
        with pytest.raises(AnswerNotUnderstood, match="is it the right address"):
            client.job(JOB_ID)


def test_a_proxy_s_error_page_is_a_refusal_with_its_status() -> None:
    with answering(Said(502, b"<html>")) as service, Client(service.url) as client:
        with pytest.raises(RefusedByService, match=r"Bad Gateway \(502\)"):
            client.job(JOB_ID)


def paged(asked: Asked) -> Said:
    """A page of 450 numbered jobs. The cursor is the number of the next job."""
    first = int(asked.params.get("cursor", 0))
    last = min(450, first + int(asked.params["limit"]))
    return Said(
        200, {"jobs": [job(name=str(n)) for n in range(first, last)], "next_cursor": str(last) if last < 450 else None}
    )


@pytest.mark.parametrize(("limit", "expected", "requests"), [(None, 450, 3), (250, 250, 2), (7, 7, 1), (450, 450, 3)])
def test_jobs_follow_the_cursors(limit: int | None, expected: int, requests: int) -> None:
    with FakeService(paged).running() as service, Client(service.url) as client:
        names = [one.name for one in client.jobs(state="queued", limit=limit)]
    assert names == [str(n) for n in range(expected)]
    assert len(service.asked) == requests
    assert all(asked.params["state"] == "queued" and "stage" not in asked.params for asked in service.asked)


def test_a_wait_returns_the_finished_job() -> None:
    finished = job(state="succeeded", steps_done=2000, result=result(more="of a newer service"))
    with answering(Said(200, job(state="running")), Said(200, finished)) as service, Client(service.url) as client:
        done = client.wait(JOB_ID)
    assert (done.succeeded, done.formula, done.loss["last"]) == (True, "y = 1.0 + 2.0 x", 3.0)
    assert (done.coefficients, done.environment["device"]) == ({"a": 1.0, "b": 2.0}, "cpu")
    assert (done.timings["pack_size"], done.as_json()["result"]) == (1, finished["result"])
    assert service.asked[0].params == {"wait": "30"}


def test_a_wait_reports_progress() -> None:
    seen: list[Job] = []
    states = [Said(200, job(state="running", steps_done=n)) for n in (10, 20)]
    with (
        answering(*states, Said(200, job(state="failed", reason="diverged"))) as service,
        Client(service.url) as client,
    ):
        client.wait(JOB_ID, on_progress=seen.append)
    assert [(one.state, one.steps_done) for one in seen] == [("running", 10), ("running", 20), ("failed", 0)]


def test_a_wait_ends_with_its_timeout() -> None:
    with answering(Said(200, job())) as service, Client(service.url) as client:
        with pytest.raises(WaitTimeout, match=r"is still queued after 0\.5 s, at step 0 of 2000; it continues"):
            client.wait(JOB_ID, timeout=0.5)
    assert len(service.asked) < 10


@pytest.mark.parametrize("dtype", ["<f4", "<f8"])
def test_losses_keep_every_bit(dtype: str) -> None:
    losses = np.array([1 / 3, 2e-7, 5.0], dtype=dtype)
    buffer = io.BytesIO()
    np.save(buffer, losses)
    with answering(Said(200, buffer.getvalue())) as service, Client(service.url) as client:
        received = client.losses(JOB_ID)
    assert received.dtype == losses.dtype
    assert received.tobytes() == losses.tobytes()
    assert service.asked[0].headers["Accept"] == "application/x-npy"


def test_pickled_losses_are_never_loaded() -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.array([{}], dtype=object), allow_pickle=True)
    with answering(Said(200, buffer.getvalue())) as service, Client(service.url) as client:
        with pytest.raises(AnswerNotUnderstood):
            client.losses(JOB_ID)


def test_the_points_of_a_curve_have_steps_and_nan_for_what_was_not_finite() -> None:
    with answering(Said(200, {"steps": [0, 7], "losses": [2.5, None]})) as service, Client(service.url) as client:
        steps, losses = client.loss_points(JOB_ID, points=10)
    assert steps.tolist() == [0, 7]
    assert losses[0] == 2.5
    assert np.isnan(losses[1])
    assert service.asked[0].params == {"points": "10"}


def test_everything_else_has_its_shape() -> None:
    answers = {
        "/v1/jobs/x/cancel": job(state="cancelled"),
        "/v1/jobs/x/events": {
            "events": [
                {
                    "sequence": 1,
                    "from": None,
                    "to": "queued",
                    "attempt": 0,
                    "actor": "a",
                    "at": "2026-11-23T09:00:00Z",
                    "detail": None,
                }
            ]
        },
        "/v1/jobs/x/retry": job(retry_of="x"),
        "/v1/jobs/x/logs": {"logs": [{"attempt": 2, "text": "Traceback", "truncated": True}]},
        "/v1/stages": {"stages": [{"name": "nn", "devices": ["cpu"], "defaults": {"steps": 2000}}]},
        "/v1/stages/nn": {"name": "nn", "schema": {"type": "object"}},
        "/v1/workers": {"workers": [{"id": "1", "host": "h", "queue": "cpu", "state": "idle", "current_jobs": ["x"]}]},
        "/v1/queues": {
            "queues": [{"name": "cpu", "depth": 3, "oldest_wait_seconds": 1.5, "idle_slots": 0, "live_slots": 1}]
        },
    }
    with FakeService(lambda asked: Said(200, answers[asked.path])).running() as service, Client(service.url) as client:
        assert client.cancel("x").state is State.CANCELLED
        assert client.retry("x").retry_of == "x"
        assert [(log.attempt, log.text, log.truncated) for log in client.logs("x")] == [(2, "Traceback", True)]
        [event] = client.events("x")
        assert (event.from_state, event.to_state, event.as_json()["from"]) == (None, State.QUEUED, None)
        assert client.stages()[0].defaults["steps"] == 2000
        assert client.stage("nn").parameters == {"type": "object"}
        assert client.workers()[0].current_jobs == ("x",)
        assert client.queues()[0].depth == 3


def test_a_retry_that_is_sent_again_carries_the_same_key() -> None:
    with answering(Said(hang_up=True), Said(202, job())) as service, Client(service.url) as client:
        client.retry("x")
    assert len({asked.headers["Idempotency-Key"] for asked in service.asked}) == 1
    assert len(service.asked) == 2


def test_a_job_that_is_gone_is_deleted_and_one_that_runs_is_not() -> None:
    gone, runs = problem(410, "The job was deleted"), problem(409, "The job's state does not allow that move")
    with answering(Said(204, b""), gone, runs) as service, Client(service.url) as client:
        client.delete("x")
        client.delete("x")
        with pytest.raises(RefusedByService, match="409"):
            client.delete("x")
    assert [asked.method for asked in service.asked] == ["DELETE"] * 3


def test_unavailable_is_an_answer_to_whether_it_is_ready() -> None:
    body = {"status": "unavailable", "database": "down", "redis": "up", "workers": {"cpu": 2, "gpu": 0}}
    with answering(Said(503, body)) as service, Client(service.url) as client:
        readiness = client.readiness()
    assert (readiness.status, sum(readiness.workers.values())) == ("unavailable", 2)


def test_the_url_comes_from_the_argument_else_the_environment_else_the_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Client().url == "http://127.0.0.1:8000"
    monkeypatch.setenv("GRADYARD_URL", "http://gradyard.example")
    assert Client().url == "http://gradyard.example"
    assert Client("http://other.example").url == "http://other.example"


def test_importing_gradyard_loads_nothing_heavy() -> None:
    code = "import gradyard, sys; assert not {'httpx', 'numpy', 'pydantic', 'rich', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


KEY = {
    "id": JOB_ID,
    "name": "ada",
    "project": "physics",
    "scopes": ["jobs:read"],
    "state": "live",
    "hint": "gradyard_5xA",
}


def test_a_key_is_made_with_its_project_and_scopes_and_is_not_in_its_repr() -> None:
    with answering(Said(201, KEY | {"key": "gradyard_5xAsecret"})) as service, Client(service.url, "k") as client:
        made = client.make_key("ada", project="physics", scopes=("jobs:read",))
        client.make_key("ada")
    assert json.loads(service.asked[0].body) == {"name": "ada", "project": "physics", "scopes": ["jobs:read"]}
    assert json.loads(service.asked[1].body) == {"name": "ada"}
    assert made.key == "gradyard_5xAsecret"
    assert "secret" not in repr(made)


def test_a_request_for_a_key_is_not_repeated_where_the_service_may_have_received_it() -> None:
    with answering(Said(hang_up=True), Said(201, KEY)) as service, Client(service.url) as client:
        with pytest.raises(Unreachable):
            client.make_key("ada")
        assert len(service.asked) == 1
        client.revoke_key("a/b")
    assert (service.asked[1].method, service.asked[1].path) == ("DELETE", "/v1/keys/a%2Fb")


def test_the_key_of_the_environment_is_shown_to_our_own_service_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADYARD_KEY", "mine")
    monkeypatch.setenv("GRADYARD_ADMIN_KEY", "the administrator's")
    with answering(Said(200, {"keys": []})) as service:
        for url in (service.url, None):
            monkeypatch.setenv("GRADYARD_URL", service.url)
            with Client(url) as client:
                client.keys()
    assert [asked.headers.get("Authorization") for asked in service.asked] == [None, "Bearer mine"]


def test_using_gradyard_never_loads_the_service_or_torch() -> None:
    code = (
        "import gradyard.cli.main, gradyard.local.stack, gradyard.cli.demo, sys; "
        "assert not {'service', 'workers', 'torch', 'flask', 'celery', 'sqlalchemy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
