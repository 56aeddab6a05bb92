"""Curves from Python: whole, in points or a range, of one job and of many; and the best jobs. With a real service."""

from collections.abc import Iterator
from typing import assert_type

import numpy as np
import pytest

from gradyard import Client, Job
from gradyard.client.errors import RefusedByService
from gradyard.jobs.settings import Settings
from gradyard.shapes import BestJobs
from gradyard.store.database import Database
from tests.client.real_service import real_service
from tests.client.service_for_tests import Asked, FakeService, Said
from tests.service.test_best import ended

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
LOSSES = [9.0, 7.0, 8.0, 3.0, 4.0, 1.0, 2.0]


@pytest.fixture
def client(settings: Settings) -> Iterator[Client]:
    with real_service(settings) as url, Client(url) as connected:
        yield connected


@pytest.fixture
def job(database: Database, settings: Settings) -> str:
    """A job with seven losses, and an accuracy of each step and of the final weights."""
    return str(ended(database, settings, LOSSES, {"accuracy": [*np.arange(7) / 10, 0.75]}, seed=1))


def test_a_range_is_a_slice(client: Client, job: str) -> None:
    for start, stop in ((None, None), (2, None), (None, 3), (1, 5), (-2, None), (None, -2), (9, None)):
        wanted = np.array(LOSSES, np.float32)[start:stop]
        found = client.losses(job, start, stop)
        assert (found.dtype.name, found.tolist()) == ("float32", wanted.tolist())
        steps, points = client.loss_points(job, start=start, stop=stop)
        assert (steps.tolist(), points.tolist()) == (list(range(7)[start:stop]), wanted.tolist())
    assert client.loss_points(job, points=2, start=1)[0].tolist() == [1, 6]


def test_a_metric_has_its_steps_and_ends_with_the_final_weights(client: Client, job: str) -> None:
    steps, values = client.metric(job, "accuracy")
    assert (steps.tolist(), values.tolist()) == ([*range(8)], [*np.arange(7) / 10, 0.75])
    steps, values = client.metric(job, "accuracy", start=-2)
    assert (steps.tolist(), values.tolist()) == ([6, 7], [0.6, 0.75])
    assert [each.tolist() for each in client.metric(job, "accuracy", start=9)] == [[], []]
    assert client.job(job).metrics["accuracy"]["last"] == 0.75


def test_many_curves_are_one_dictionary(
    client: Client, database: Database, settings: Settings, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = str(ended(database, settings, [5.0, 0.5]))
    monkeypatch.setattr("gradyard.client.history.curves.MOST_CURVES", 1)  # a request for each
    found = client.losses_of([other, job], stop=3)
    assert list(found) == [other, job]
    assert [values.tolist() for _, values in found.values()] == [[5.0, 0.5], LOSSES[:3]]
    assert found[job][0].tolist() == [0, 1, 2]
    measured = client.jobs.metric_of([job, other], "accuracy", start=-1)
    assert [[each.tolist() for each in curve] for curve in measured.values()] == [[[7], [0.75]], [[], []]]
    assert client.losses_of([]) == {}


def test_the_best_are_a_list_of_jobs(client: Client, database: Database, settings: Settings, job: str) -> None:
    other = str(ended(database, settings, [5.0, 0.5], {"accuracy": [0.0, 0.0, 0.25]}))
    found = client.jobs.best()
    assert_type(found, list[Job])
    assert [each.id for each in found] == [other, job]
    by = client.best_jobs(where="seed == 1", metric="accuracy", mode="max", limit=1)
    assert_type(by, BestJobs)
    assert ([each.id for each in by.jobs], by.values, by.metric, by.mode) == (
        [job], (0.75,), "metrics.accuracy.last", "max",
    )  # fmt: skip
    with pytest.raises(RefusedByService, match="/mode"):
        client.best(metric="accuracy")


def test_an_older_service_has_no_steps_beside_a_metric(database: Database) -> None:
    def older(asked: Asked) -> Said:
        if asked.headers.get("Accept") == "application/x-npy":
            return Said(200, NPY)
        return Said(200, {"every": 4, "steps": [0, 8], "values": [1.0, 3.0]})

    with FakeService(older).running() as service, Client(service.url) as client:
        steps, values = client.metric("x", "gap")
    assert (steps.tolist(), values.tolist()) == ([0, 4, 8], [1.0, 2.0, 3.0])


NPY = b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }".ljust(127) + b"\n"
NPY += np.array([1.0, 2.0, 3.0]).tobytes()


def test_many_curves_are_smoothed(client: Client, job: str) -> None:
    steps, losses = client.losses_of([job])[job]
    same, smoothed = client.losses_of([job], smooth=3)[job]
    assert same.tolist() == steps.tolist()
    assert smoothed[1] == pytest.approx(losses[:3].mean())
