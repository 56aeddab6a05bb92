"""Cancel, retry and delete of many jobs: each is told, a refusal does not stop the others."""

import json
from typing import Any

import pytest

from tests.cli.command_for_tests import Run
from tests.client.service_for_tests import Asked, FakeService, Said, job, problem

FINISHED = problem(409, "The job's state does not allow that move", "it is succeeded")
MISSING = problem(404, "There is no such thing", "there is no job missing")


def respond(asked: Asked) -> Said:
    """A service with the jobs `running`, `done` and `stuck`, which is unfinished but refuses every change."""
    job_id = asked.path.split("/")[3]
    if job_id == "missing":
        return MISSING
    if asked.path.endswith("/cancel"):
        return FINISHED if job_id in ("done", "stuck") else Said(200, job(id=job_id, state="cancelled"))
    if asked.path.endswith("/retry"):
        return FINISHED if job_id != "done" else Said(202, job(id="new", retry_of="done"))
    if asked.method == "DELETE":
        return Said(204, b"") if job_id == "done" else FINISHED
    return Said(200, job(id=job_id, state="succeeded" if job_id == "done" else "running"))


@pytest.fixture
def url() -> Any:
    with FakeService(respond).running() as service:
        yield service.url


def test_a_cancel_goes_on_after_a_finished_job_and_says_what_it_did_for_each(run: Run, url: str) -> None:
    ended = run("cancel", "done", "running", "--url", url)
    assert (ended.status, ended.err) == (0, "")
    assert ended.out == "done succeeded already\nrunning cancelled\n"


def test_a_cancel_of_a_missing_job_goes_on_and_ends_with_1(run: Run, url: str) -> None:
    ended = run("cancel", "missing", "running", "stuck", "--url", url)
    assert (ended.status, ended.out) == (1, "running cancelled\n")
    assert [line.partition(":")[0] for line in ended.err.splitlines()] == ["gradyard"] * 2
    assert "there is no job missing" in ended.err


def test_a_cancel_prints_json_for_each(run: Run, url: str) -> None:
    ended = run("cancel", "done", "missing", "--json", "--url", url)
    first, second = json.loads(ended.out)
    assert first == {"id": "done", "state": "succeeded"}
    assert second["id"] == "missing"
    assert "404" in second["error"]


@pytest.mark.parametrize(("verb", "done"), [("retry", "new\n"), ("delete", "done deleted\n")])
def test_a_refusal_stops_neither_a_retry_nor_a_delete(run: Run, url: str, verb: str, done: str) -> None:
    ended = run(verb, "running", "done", "--url", url)
    assert (ended.status, ended.out) == (1, done)
    assert "it is succeeded (409)" in ended.err


@pytest.mark.parametrize("verb", ["cancel", "retry", "delete"])
def test_no_id_is_no_error(run: Run, url: str, verb: str) -> None:
    for words in ((verb,), ("jobs", verb), ("batches", verb)):
        ended = run(*words, "--url", url)
        assert (ended.status, ended.out, ended.err) == (0, "", f"nothing to {verb}: no id was given\n")


def test_a_refusal_of_the_key_is_told_once(run: Run) -> None:
    with FakeService(lambda _: problem(401, "Unauthorized", "send a key")).running() as service:
        ended = run("cancel", "a", "b", "--url", service.url)
    assert (ended.status, ended.err.count("\n"), len(service.asked)) == (2, 1, 1)


def test_keys_are_revoked_one_after_another(run: Run) -> None:
    def revoke(asked: Asked) -> Said:
        return MISSING if asked.path.endswith("missing") else Said(204, b"")

    with FakeService(revoke).running() as service:
        ended = run("keys", "revoke", "missing", "a", "--url", service.url)
        as_json = run("keys", "revoke", "a", "--json", "--url", service.url)
    assert (ended.status, ended.out, ended.err.count("\n")) == (1, "a revoked\n", 1)
    assert json.loads(as_json.out) == [{"id": "a", "revoked": True}]
