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
    measured = replace(progress_of(member, [5.0, 4.0, 3.0, 2.0, 1.0]), metrics={"held_out": np.array(VALUES)}, every=2)
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
    assert client.get(path).json == {"every": 2, "steps": [0, 2, 4], "values": [3.0, None, 1.0]}
    assert client.get(path, headers={"Accept": "text/csv"}).text == "step,value\n0,3.0\n2,null\n4,1.0\n"
    array = np.load(BytesIO(client.get(path, headers={"Accept": "application/x-npy"}).data))
    np.testing.assert_array_equal(array, VALUES)
    assert client.get(path, headers={"Accept": "image/png"}).status_code == 406
    assert client.get(f"{path}?points=1").status_code == 422


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
        assert client.get(f"/v1/jobs/00000000-0000-0000-0000-000000000001/{kind}/{name}").status_code == 404
