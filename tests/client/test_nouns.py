"""The Client's nouns: called they list, their verbs are the flat methods, and their types are known."""

from collections.abc import Callable
from typing import Any, assert_type

import pytest

from gradyard import Batch, BatchDeleted, BatchRetried, Client, Job, RefusedByService, Worker
from gradyard.client.batches import Batches
from gradyard.client.definitions import Blocking
from gradyard.client.jobs import Jobs
from tests.client.service_for_tests import JOB_ID, Asked, FakeService, Said, answering, job, problem

BATCH = {"id": "b", "size": 3, "state": "finished", "counts": {"cancelled": 3}}


def respond(asked: Asked) -> Said:
    if asked.path == "/v1/keys":
        return Said(200, {"keys": []})
    answers: dict[str, Any] = {
        "/v1/jobs": {"jobs": [job()], "next_cursor": None}, "/v1/batches": {"batches": [BATCH], "next_cursor": None},
        "/v1/workers": {"workers": []}, "/v1/queues": {"queues": []}, "/v1/stages": {"stages": []},
    }  # fmt: skip
    return Said(200, answers[asked.path])


def test_a_noun_that_is_called_lists() -> None:
    with FakeService(respond).running() as service, Client(service.url) as client:
        assert [each.id for each in client.jobs(state="failed", limit=5)] == [JOB_ID]
        assert [each.id for each in client.batches(limit=5)] == ["b"]
        assert [client.workers(), client.queues(), client.stages(), client.keys()] == [[], [], [], []]
    assert service.asked[0].params == {"state": "failed", "limit": "5"}


@pytest.mark.parametrize(
    ("call", "method", "path"),
    [
        (lambda client: client.jobs.cancel("x"), "POST", "/v1/jobs/x/cancel"),
        (lambda client: client.jobs.retry("x"), "POST", "/v1/jobs/x/retry"),
        (lambda client: client.jobs.get("x"), "GET", "/v1/jobs/x"),
        (lambda client: client.jobs.wait("x"), "GET", "/v1/jobs/x"),
        (lambda client: client.jobs.delete("x"), "DELETE", "/v1/jobs/x"),
    ],
)
def test_a_verb_of_jobs_asks_for_one_job(call: Callable[[Client], object], method: str, path: str) -> None:
    with answering(Said(200, job(state="cancelled"))) as service, Client(service.url) as client:
        call(client)
    assert (service.asked[0].method, service.asked[0].path) == (method, path)


@pytest.mark.parametrize(
    ("call", "method", "path"),
    [
        (lambda client: client.batches.get("b"), "GET", "/v1/batches/b"),
        (lambda client: client.batches.wait("b"), "GET", "/v1/batches/b"),
        (lambda client: client.batches.cancel("b"), "POST", "/v1/batches/b/cancel"),
        (lambda client: list(client.batches.export_jobs("b")), "GET", "/v1/batches/b/export"),
        (lambda client: client.batches.best("b"), "GET", "/v1/batches/b/best"),
    ],
)
def test_a_verb_of_batches_asks_for_one_batch(call: Callable[[Client], object], method: str, path: str) -> None:
    def one(asked: Asked) -> Said:
        return Said(200, b"" if asked.path.endswith("export") else {**BATCH, "jobs": []})

    with FakeService(one).running() as service, Client(service.url) as client:
        call(client)
    assert (service.asked[0].method, service.asked[0].path) == (method, path)


def test_the_types_of_the_verbs_are_known() -> None:
    with answering(Said(200, job(state="cancelled"))) as service, Client(service.url) as client:
        assert_type(client.jobs, Jobs[Blocking])
        assert_type(client.batches, Batches[Blocking])
        assert_type(client.jobs.cancel("x"), Job)
        assert client.jobs.cancel("x").id == client.cancel("x").id
    with answering(Said(200, BATCH)) as service, Client(service.url) as client:
        assert_type(client.batches.get("b"), Batch)
    with answering(Said(200, {"workers": []})) as service, Client(service.url) as client:
        assert_type(client.workers.drain("h"), list[Worker])


def test_a_retry_of_a_batch_says_how_many_and_carries_a_key() -> None:
    retried = Said(202, {"id": "b", "retried": 2, "size": 3})
    with answering(Said(hang_up=True), retried) as service, Client(service.url) as client:
        answer = client.batches.retry("b")
        client.retry_batch("b", states=["cancelled"])
    assert_type(answer, BatchRetried)
    assert (answer.retried, answer.size) == (2, 3)
    assert service.asked[0].headers["Idempotency-Key"] == service.asked[1].headers["Idempotency-Key"]
    assert [asked.body for asked in service.asked] == [b"", b"", b'{"states": ["cancelled"]}']


def test_a_batch_that_is_gone_is_deleted_and_one_that_runs_is_not() -> None:
    done, gone = Said(200, {"id": "b", "deleted": 3}), problem(410, "The batch was deleted")
    with answering(done, gone, problem(409, "It is not finished")) as service, Client(service.url) as client:
        first = client.batches.delete("b")
        assert_type(first, BatchDeleted)
        assert (first.deleted, client.delete_batch("b").deleted) == (3, 0)
        with pytest.raises(RefusedByService, match="409"):
            client.delete_batch("b")
    assert [asked.method for asked in service.asked] == ["DELETE"] * 3


def test_a_service_that_was_never_reached_is_given_up_sooner_than_one_that_was() -> None:
    hang_up, done = Said(hang_up=True), Said(200, job())
    with answering(done, hang_up, hang_up, done) as service:
        with Client(service.url, retry_seconds=30, reach_seconds=0) as client:
            client.job("x")
            client.job("x")
    assert len(service.asked) == 4
