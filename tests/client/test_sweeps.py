"""A sweep of the Client says what its arguments mean, in the words of the HTTP API."""

import json
from typing import Any

import numpy as np
import pytest

from gradyard.client.client import Client
from gradyard.jobs.specs.sweeps import Sweep
from tests.client.service_for_tests import JOB_ID, Asked, FakeService, Said, job

COUNTS = {"queued": 1, "running": 0, "succeeded": 0, "failed": 0, "cancelled": 0}
BATCH: dict[str, Any] = {
    "id": JOB_ID, "name": None, "state": "queued", "size": 1, "counts": COUNTS, "submitted_at": "2026-11-23T09:00:00Z",
    "finished_at": None, "sweep": None, "failures": [],
}  # fmt: skip


def respond(asked: Asked) -> Said:
    return Said(202, {"id": JOB_ID, "size": 1} | job()) if asked.method == "POST" else Said(200, BATCH)


def sent_by(*spec: Any, **arguments: Any) -> dict[str, Any]:
    with FakeService(respond).running() as running, Client(running.url) as client:
        client.sweep(*spec, **arguments)
    return dict(json.loads(running.asked[0].body))


def members(sent: dict[str, Any]) -> list[dict[str, Any]]:
    return list(Sweep.model_validate({name: value for name, value in sent.items() if name != "name"}).members())


@pytest.mark.parametrize(
    "axis", [{"start": 0, "stop": 200}, range(200), list(range(200)), np.arange(200), tuple(range(200))], ids=repr
)
def test_every_form_of_an_axis_is_the_same_values(axis: Any) -> None:
    found = members(sent_by({"stage": "nn"}, grid={"seed": axis}))
    assert found == [{"stage": "nn", "seed": seed} for seed in range(200)]


def test_a_range_of_fractions_and_an_array_of_them() -> None:
    sent = sent_by(
        {"stage": "nn"},
        grid={"learning_rate": {"start": 0.1, "stop": 0.4, "step": 0.1}, "dataset.noise": np.linspace(0, 1, 3)},
    )
    assert [each["learning_rate"] for each in members(sent)][::3] == [0.1, 0.2, 0.3]
    assert [each["dataset"]["noise"] for each in members(sent)][:3] == [0.0, 0.5, 1.0]


def test_a_range_that_runs_back_keeps_its_order() -> None:
    assert sent_by({"stage": "nn"}, grid={"seed": range(3, 0, -1)})["grid"] == {"seed": [3, 2, 1]}


def test_keywords_are_the_spec_as_in_submit() -> None:
    by_keywords = sent_by(stage="nn", steps=5, grid={"seed": range(3)}, name="three")
    assert by_keywords == sent_by({"stage": "nn", "steps": 5}, grid={"seed": range(3)}, name="three")
    assert by_keywords["spec"] == {"stage": "nn", "steps": 5}
    assert sent_by({"stage": "nn", "steps": 5}, steps=6)["spec"] == {"stage": "nn", "steps": 6}


@pytest.mark.parametrize("axis", ["adam", 5, None, b"ab"])
def test_what_is_no_list_is_refused_before_it_is_sent(axis: Any) -> None:
    with (
        Client("http://127.0.0.1:1") as client,
        pytest.raises(TypeError, match=r"the values of optimizer\.name must be"),
    ):
        client.sweep({"stage": "optim"}, grid={"optimizer.name": axis})


def test_draws_that_are_no_mapping_are_refused_before_they_are_sent() -> None:
    with pytest.raises(TypeError, match=r'the draws of learning_rate are a mapping such as .*"low": 1e-7'):
        sent_by({"stage": "nn"}, random={"learning_rate": (1e-8, 1e-7)})


def test_a_precedence_goes_with_what_is_submitted_and_not_into_its_spec() -> None:
    with FakeService(respond).running() as running, Client(running.url) as client:
        client.submit(stage="nn", precedence=5)
        client.submit_batch([{"stage": "nn"}], precedence=-3)
        client.sweep(stage="nn", grid={"seed": range(2)}, precedence=5)
        client.submit(stage="nn")
    posts = [each for each in running.asked if each.method == "POST"]
    assert [each.params for each in posts] == [{"precedence": "5"}, {"precedence": "-3"}, {"precedence": "5"}, {}]
    assert [b"precedence" in each.body for each in posts] == [False] * 4
