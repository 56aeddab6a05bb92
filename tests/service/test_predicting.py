"""The model of a finished job at other points: `POST /v1/jobs/<id>/predict`."""

from typing import Any
from uuid import UUID

import numpy as np
import pytest
from flask.testing import FlaskClient

from gradyard.jobs.curves import Summary
from gradyard.jobs.numbers.models import in_own_units
from gradyard.jobs.numbers.scaling import Scaling
from gradyard.jobs.settings import Settings
from gradyard.store import lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.lifecycle import Outcome, Progress
from tests.actors import claimed, submitted, worker_of

TRAINED = {"a": 0.25, "b": -1.5, "c": 0.5, "d": 2.0}


def succeeded(database: Database, settings: Settings, **spec: Any) -> tuple[UUID, Scaling | None]:
    """A job that ended with the coefficients `TRAINED`, and the scaling of its data."""
    job_id = submitted(database, settings, steps=1, **spec)
    [member] = claimed(database, worker_of(database)).members
    summary, losses = Summary(), np.ones(1, np.float32)
    summary.take(losses, 0)
    with database.begin() as connection:
        job = queries.job_by_id(connection, 1, job_id)
        scaling = Scaling(**job.resolved["scaling"]) if "scaling" in job.resolved else None
        own = in_own_units(job.stage, TRAINED, scaling) if scaling else TRAINED
        lifecycle.record(connection, Progress(member.held, 0, losses, summary))
        outcome = Outcome(own, "y = ...", {}, scaled_coefficients=TRAINED if scaling else None)
        assert lifecycle.succeed(connection, member.held, outcome, actor="worker")
    return job_id, scaling


def asked(client: FlaskClient, job_id: UUID, x: list[float]) -> Any:
    return client.post(f"/v1/jobs/{job_id}/predict", json={"x": x})


def cubic(x: np.ndarray) -> np.ndarray:
    return np.asarray(0.25 - 1.5 * x + 0.5 * x**2 + 2.0 * x**3)


def test_y_is_computed_by_the_coefficients(client: FlaskClient, database: Database, settings: Settings) -> None:
    job_id, _ = succeeded(database, settings, stage="nn")
    answer = asked(client, job_id, [-1.0, 0.0, 2.5])
    assert answer.status_code == 200
    assert answer.json["x"] == [-1.0, 0.0, 2.5]
    np.testing.assert_allclose(answer.json["y"], cubic(np.array([-1.0, 0.0, 2.5])), rtol=1e-14)


def test_x_and_y_of_a_scaled_job_are_in_the_units_of_its_data(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    x = np.linspace(51_544.0, 58_849.0, 40)  # days, as astronomers count them
    data = {"kind": "inline", "x": x.tolist(), "y": (370 + 1e-3 * x).tolist()}
    job_id, scaling = succeeded(database, settings, stage="nn", dataset=data, scale="standard")
    assert scaling is not None
    expected = scaling.y_offset + scaling.y_factor * cubic(scaling.scaled_x(x))
    np.testing.assert_allclose(asked(client, job_id, x.tolist()).json["y"], expected, rtol=1e-14)
    job: Any = client.get(f"/v1/jobs/{job_id}").json
    result = job["result"]
    assert result["scaled_coefficients"] == TRAINED
    np.testing.assert_allclose(np.polyval([*result["coefficients"].values()][::-1], x), expected, rtol=1e-5)


def test_legendre_has_its_own_form(client: FlaskClient, database: Database, settings: Settings) -> None:
    job_id, _ = succeeded(database, settings, stage="function")
    z = TRAINED["c"] + TRAINED["d"] * 0.7
    expected = TRAINED["a"] + TRAINED["b"] * (5 * z**3 - 3 * z) / 2
    assert asked(client, job_id, [0.7]).json["y"] == [pytest.approx(expected, rel=1e-14)]


def test_a_y_that_overflows_is_null(client: FlaskClient, database: Database, settings: Settings) -> None:
    job_id, _ = succeeded(database, settings, stage="nn")
    assert asked(client, job_id, [1e200, 1.0]).json["y"] == [None, 1.25]


@pytest.mark.parametrize(("body", "status", "says"), [
    ({"x": "1"}, 422, "/x"), ({"x": [None]}, 422, "/x/0"), ({}, 422, "/x"), ({"x": [1], "y": [2]}, 422, "/y"),
])  # fmt: skip
def test_a_wrong_request_is_refused_with_a_pointer(
    client: FlaskClient, database: Database, settings: Settings, body: Any, status: int, says: str
) -> None:
    job_id, _ = succeeded(database, settings, stage="nn")
    answer: Any = client.post(f"/v1/jobs/{job_id}/predict", json=body)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (status, says)


def test_a_job_without_a_single_model_is_refused(client: FlaskClient, database: Database, settings: Settings) -> None:
    dynamic, _ = succeeded(database, settings, stage="dynamic")
    assert "another order at each step" in asked(client, dynamic, [1.0]).json["detail"]
    waiting = asked(client, submitted(database, settings, stage="nn"), [1.0])
    assert (waiting.status_code, "queued" in waiting.json["detail"]) == (409, True)
