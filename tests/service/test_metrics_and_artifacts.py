"""Named curves and arrays over HTTP, as a plug-in's stage leaves them."""

from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient

from gradyard.jobs.settings import Settings
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.lifecycle import Outcome
from tests.actors import claimed, progress_of, submitted, worker_of

VALUES = [3.0, float("nan"), 1.0]


@pytest.fixture
def job(database: Database, settings: Settings) -> str:
    """A job that measured every second step, and found two arrays."""
    made = submitted(database, settings, steps=5)
    member = claimed(database, worker_of(database)).members[0]
    measured = replace(
        progress_of(member, [5.0, 4.0, 3.0, 2.0, 1.0]), metrics={"held_out": np.array(VALUES)}, every=2,
        final_metrics={"held_out": 0.5},
    )  # fmt: skip
    found = {"weights.0": np.arange(6, dtype=np.float32).reshape(2, 3), "flag": np.array(True)}
    with database.begin() as connection:
        assert lifecycle.record(connection, measured)
        assert lifecycle.succeed(connection, member.held, Outcome(None, None, {}, found), actor="worker")
    return f"/v1/jobs/{made}"


def test_they_are_listed_by_name(client: FlaskClient, job: str) -> None:
    assert client.get(f"{job}/metrics").json == {"metrics": ["held_out"]}
    assert client.get(f"{job}/artifacts").json == {"artifacts": [
        {"name": "flag", "dtype": "bool", "shape": []}, {"name": "weights.0", "dtype": "float32", "shape": [2, 3]},
    ]}  # fmt: skip
    shown: Any = client.get(job).json
    assert (shown["result"]["coefficients"], shown["result"]["formula"]) == (None, None)


def test_a_curve_comes_as_json_csv_and_npy(client: FlaskClient, job: str) -> None:
    path = f"{job}/metrics/held_out"
    assert client.get(path).json == {"every": 2, "steps": [0, 2, 4, 5], "values": [3.0, None, 1.0, 0.5]}
    assert client.get(path, headers={"Accept": "text/csv"}).text == "step,value\n0,3.0\n2,null\n4,1.0\n5,0.5\n"
    file = client.get(path, headers={"Accept": "application/x-npy"})
    np.testing.assert_array_equal(np.load(BytesIO(file.data)), [*VALUES, 0.5])
    assert [file.headers[name] for name in ("First-Step", "Last-Step", "Every")] == ["0", "5", "2"]
    assert client.get(path, headers={"Accept": "image/png"}).status_code == 406
    assert client.get(f"{path}?points=1").status_code == 422


@pytest.mark.parametrize(("query", "steps"), [
    ("from=1", [2, 4, 5]), ("from=2&to=4", [2]), ("to=-1", [0, 2, 4]), ("from=-2", [4, 5]), ("from=6", []),
])  # fmt: skip
def test_a_range_of_a_metric_is_by_steps_and_ends_with_the_final_weights(
    client: FlaskClient, job: str, query: str, steps: list[int]
) -> None:
    shown: Any = client.get(f"{job}/metrics/held_out?{query}").json
    assert (shown["steps"], len(shown["values"])) == (steps, len(steps))


def test_a_metric_of_many_jobs_comes_in_one_answer(
    client: FlaskClient, database: Database, settings: Settings, job: str
) -> None:
    other = submitted(database, settings)
    ids = [("job", job.rpartition("/")[2]), ("job", str(other))]
    answer: Any = client.get("/v1/metrics/held_out", query_string=[*ids, ("from", "4")]).json
    assert answer == {"metric": "held_out", "curves": [
        {"job": ids[0][1], "steps": [4, 5], "values": [1.0, 0.5]}, {"job": ids[1][1], "steps": [], "values": []},
    ]}  # fmt: skip
    table = client.get("/v1/metrics/held_out", query_string=ids, headers={"Accept": "text/csv"}).text
    assert table.splitlines()[:2] == ["job,step,value", f"{ids[0][1]},0,3.0"]


@pytest.mark.parametrize("path", ["metrics/held_out", "artifacts/weights.0"])
def test_what_a_job_that_has_ended_left_is_not_sent_twice(client: FlaskClient, job: str, path: str) -> None:
    tag = client.get(f"{job}/{path}").headers["ETag"]
    for known in (tag, "*"):
        assert client.get(f"{job}/{path}", headers={"If-None-Match": known}).status_code == 304


def test_an_array_comes_as_npy(client: FlaskClient, job: str) -> None:
    response = client.get(f"{job}/artifacts/weights.0")
    array = np.load(BytesIO(response.data))
    assert (response.content_type, array.dtype.name, array.tolist()) == (
        "application/x-npy", "float32", [[0, 1, 2], [3, 4, 5]],
    )  # fmt: skip
    assert np.load(BytesIO(client.get(f"{job}/artifacts/flag").data)).shape == ()


@pytest.mark.parametrize("name", ["nothing", "a%00b", "%C3%A4", "x" * 300, "a%20b"])
def test_a_name_that_is_not_there_is_not_found(client: FlaskClient, job: str, name: str) -> None:
    for kind in ("metrics", "artifacts"):
        assert client.get(f"{job}/{kind}/{name}").status_code == 404
        assert client.get(f"{job}/{kind}/{name}", headers={"If-None-Match": "*"}).status_code == 404
        assert client.get(f"/v1/jobs/00000000-0000-0000-0000-000000000001/{kind}/{name}").status_code == 404
