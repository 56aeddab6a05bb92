"""Methods take what the service answered with, or its id; what is another thing is refused before it is sent."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from gradyard import ApiKey, Batch, BatchSummary, Client, Job, JobValues, Queue, Stage, Worker
from tests.client.service_for_tests import Asked, FakeService, Said, job

JOB = Job.model_validate(job(id="j"))
BATCH = Batch(id="b", state="running", size=2)


def requests_of(use: Callable[[Client], Any]) -> list[Asked]:
    """The requests of a call; whether the answer is one that it expects does not matter here."""
    with FakeService(lambda _: Said(404, {"title": "none"})).running() as service, Client(service.url) as client:
        with pytest.raises(Exception, match="404"):
            use(client)
    return service.asked


@pytest.mark.parametrize("given", [JOB, "j", JobValues(id="j", values={})], ids=["job", "id", "values"])
@pytest.mark.parametrize(
    "method",
    ["job", "wait", "cancel", "retry", "recheck", "receipt", "delete", "logs", "events", "losses", "loss_curve",
     "loss_points", "metrics", "artifacts", "update"],
)  # fmt: skip
def test_a_method_takes_a_job_or_its_id(method: str, given: Any) -> None:
    asked = requests_of(lambda client: getattr(client, method)(given))
    assert re.fullmatch(r"/v1/jobs/j(/\w+)?", asked[0].path)


def test_lists_of_jobs_may_be_jobs_or_ids() -> None:
    with (
        FakeService(lambda _: Said(200, {"metric": "m", "curves": []})).running() as service,
        Client(service.url) as client,
    ):
        client.losses_of([JOB, "k"])
        client.metric_of((each for each in (JOB, "k")), "m")
    assert [asked.params["job"] for asked in service.asked] == ["j", "j"]


@pytest.mark.parametrize("given", [BATCH, "b", BatchSummary(id="b", state="running")], ids=["batch", "id", "summary"])
@pytest.mark.parametrize(
    "method", ["batch", "wait_batch", "cancel_batch", "retry_batch", "delete_batch", "best", "best_jobs"]
)
def test_a_method_takes_a_batch_or_its_id(method: str, given: Any) -> None:
    asked = requests_of(lambda client: getattr(client, method)(given))
    assert asked[0].path.startswith("/v1/batches/b")


def test_a_question_may_be_limited_to_a_batch() -> None:
    uses: list[Callable[[Client], Any]] = [
        lambda client: list(client.jobs(batch=BATCH)), lambda client: list(client.jobs.values("id", batch=BATCH)),
        lambda client: client.count(batch=BATCH), lambda client: client.summary(batch=BATCH),
        lambda client: client.best(BATCH, where="seed == 1"),
    ]  # fmt: skip
    assert [requests_of(use)[0].params["batch"] for use in uses] == ["b"] * 5


@pytest.mark.parametrize(
    ("use", "path"),
    [
        (lambda client: client.drain(Worker(id="w", host="h", slot="cpu-0", queue="cpu", state="idle")), "cpu-0%40h"),
        (lambda client: client.undrain("h"), "h"),
        (lambda client: client.pause(Queue(name="cpu")), "cpu"),
        (lambda client: client.stage(Stage(name="nn", title="", description="", dtype=None)), "nn"),
        (lambda client: client.revoke_key("k"), "k"),
        (lambda client: client.cancel(UUID(int=1)), str(UUID(int=1))),
        (lambda client: client.export_jobs(BATCH).__next__(), "b"),
    ],
)
def test_other_things_are_taken_as_well(use: Callable[[Client], Any], path: str) -> None:
    assert f"/{path}" in requests_of(use)[0].path


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda client: client.cancel(BATCH), "a job or its id is needed, not a Batch"),
        (lambda client: client.cancel_batch(JOB), "a batch or its id is needed, not a Job"),
        (lambda client: client.job(None), "a job or its id is needed, not a NoneType"),
        (lambda client: client.losses_of([BATCH]), "a job or its id is needed, not a Batch"),
        (lambda client: client.pause(3), "a queue or its name is needed, not an int"),
        (lambda client: client.revoke_key(JOB), "a key or its id is needed, not a Job"),
    ],
)
def test_another_thing_is_refused_before_it_is_sent(use: Callable[[Client], Any], message: str) -> None:
    with Client("http://127.0.0.1:1") as client, pytest.raises(TypeError, match=f"^{message}$"):
        use(client)


def test_a_key_is_taken_whole() -> None:
    key = ApiKey.of(id="k")
    assert requests_of(lambda client: client.rotate_key(key))[0].path == "/v1/keys/k/rotate"
