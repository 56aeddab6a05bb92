"""A large batch is read alone, and keeps nothing small waiting."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI

from gradyard.jobs.submission.large import LARGE_BYTES, LARGE_JOBS
from service import large_batches
from service.large_batches import large_batch_alone

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

JOB = {"stage": "nn", "steps": 4}
SMALL = orjson.dumps({"jobs": [JOB]})
SMALL_SWEEP = orjson.dumps({"spec": JOB, "grid": {"seed": {"stop": 5}}})
LARGE = orjson.dumps({"jobs": [JOB], "name": "large"}) + b" " * LARGE_BYTES
SWEEP = orjson.dumps({"spec": JOB, "grid": {"seed": {"stop": LARGE_JOBS + 1}}})
POINTS = {"kind": "inline", "x": [number / 7 for number in range(4500)], "y": [0.5] * 4500}  # about 100 KB
REPEATED = orjson.dumps({"spec": JOB | {"dataset": POINTS}, "grid": {"seed": {"stop": 60}}})
REPEATED_AXIS = orjson.dumps({"spec": JOB, "grid": {"dataset": [POINTS], "seed": {"stop": 60}}})
LIST = b'{"jobs":[' + b'{"stage":"nn"},' * LARGE_JOBS + b'{"stage":"nn"}]}'


def sent(client: FlaskClient, body: bytes) -> Any:
    return client.post("/v1/batches", data=body, content_type="application/json")


@pytest.mark.parametrize(
    "body", [LARGE, SWEEP, REPEATED, REPEATED_AXIS, LIST],
    ids=["many bytes", "many jobs", "a large spec again and again", "a large value again and again", "a long list"],
)  # fmt: skip
def test_a_large_batch_waits_for_another_and_is_asked_to_come_again(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    monkeypatch.setattr(large_batches, "WAIT_SECONDS", 0.05)
    with large_batch_alone():
        refused = sent(client, body)
        assert (refused.status_code, refused.json["type"]) == (503, "large_batches_waiting")
        assert int(refused.headers["Retry-After"]) > 0
        assert sent(client, SMALL).status_code == sent(client, SMALL_SWEEP).status_code == 202
    listed: Any = client.get("/v1/batches").json
    assert len(listed["batches"]) == 2
    assert sent(client, LARGE).status_code == 202


@pytest.mark.parametrize("body", [SWEEP, REPEATED], ids=["many jobs", "a large spec again and again"])
def test_the_form_of_the_page_waits_its_turn_as_well(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    monkeypatch.setattr(large_batches, "WAIT_SECONDS", 0.05)
    with large_batch_alone():
        refused = client.post("/submit", data={"spec": body.decode()})
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) > 0
        assert client.post("/submit", data={"spec": SMALL_SWEEP.decode()}).status_code == 303
    assert client.post("/submit", data={"spec": REPEATED.decode()}).status_code == 303


def test_large_batches_that_come_together_are_read_one_after_another(app: OpenAPI) -> None:
    with ThreadPoolExecutor(large_batches.MOST_WAITING + 1) as pool:
        bodies = [LARGE] * (large_batches.MOST_WAITING + 1)
        answers = list(pool.map(lambda body: sent(app.test_client(), body).status_code, bodies))
    assert set(answers) == {202}


def test_few_requests_wait_and_others_are_refused_at_once(client: FlaskClient) -> None:
    ends = [threading.Event() for _ in range(large_batches.MOST_WAITING)]

    def waits(end: threading.Event) -> None:
        with large_batch_alone():
            end.set()

    with ThreadPoolExecutor(len(ends)) as pool, large_batch_alone():
        waiting = [pool.submit(waits, end) for end in ends]
        while large_batches._places._value:  # until all of them wait
            time.sleep(0.01)
        assert not any(each.done() for each in waiting)
        assert sent(client, LARGE).status_code == 503
    assert all(end.is_set() for end in ends)
