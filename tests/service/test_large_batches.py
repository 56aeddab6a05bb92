"""A large batch is read alone, and keeps nothing small waiting."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI

from gradyard.jobs.submission.batches import LARGE_BYTES, LARGE_JOBS
from service import large_batches
from service.large_batches import large_batch_alone

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

JOB = {"stage": "nn", "steps": 4}
SMALL = orjson.dumps({"jobs": [JOB]})
SMALL_SWEEP = orjson.dumps({"spec": JOB, "grid": {"seed": {"stop": 5}}})
LARGE = orjson.dumps({"jobs": [JOB], "name": "large"}) + b" " * LARGE_BYTES
SWEEP = orjson.dumps({"spec": JOB, "grid": {"seed": {"stop": LARGE_JOBS + 1}}})


def sent(client: FlaskClient, body: bytes) -> Any:
    return client.post("/v1/batches", data=body, content_type="application/json")


@pytest.mark.parametrize("body", [LARGE, SWEEP], ids=["many bytes", "many jobs"])
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
