"""What must end before is named by jobs, batches or ids, one or several."""

from typing import Any

import orjson
import pytest

from gradyard import Batch, Client, Job
from tests.client.service_for_tests import FakeService, Said, job

JOB = Job.model_validate(job(id="j"))
BATCH = Batch(id="b", state="running", size=2)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (JOB, ["j"]),
        ("j", ["j"]),
        ([JOB, BATCH, "k"], ["j", "b", "k"]),
        ({"id": BATCH, "condition": "ended"}, [{"id": "b", "condition": "ended"}]),
        ((JOB, {"id": "k"}), ["j", {"id": "k"}]),
        ([], []),
        (None, None),
    ],
)
@pytest.mark.parametrize(
    "submit",
    [
        lambda client, given: client.submit(stage="nn", depends_on=given),
        lambda client, given: client.sweep(stage="nn", grid={"seed": [1]}, depends_on=given),
        lambda client, given: client.submit_batch([{"stage": "nn"}], depends_on=given),
    ],
    ids=["submit", "sweep", "submit_batch"],
)
def test_a_submission_sends_the_ids_of_what_it_depends_on(submit: Any, given: Any, sent: Any) -> None:
    with FakeService(lambda _: Said(404, {"title": "none"})).running() as service, Client(service.url) as client:
        with pytest.raises(Exception, match="404"):
            submit(client, given)
    assert orjson.loads(service.asked[0].body).get("depends_on") == sent


def test_what_is_no_job_is_refused_before_it_is_sent() -> None:
    with Client("http://127.0.0.1:9") as client, pytest.raises(TypeError, match="a job, a batch or an id is needed"):
        client.submit(stage="nn", depends_on=[3])  # type: ignore[list-item]
