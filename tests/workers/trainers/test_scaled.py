"""Jobs with a `scale`: trained on numbers of about one, their results in the units of the data."""

import json
from typing import Any

import numpy as np
import pytest

from gradyard.jobs.numbers.models import predicted
from gradyard.jobs.numbers.scaling import Scaling
from gradyard.jobs.settings import load
from gradyard.jobs.submission.parse import parse_job
from tests.workers.trainers.packs import Member, assert_alone_equals_packed, train, trainer_of
from workers.runner.segment_message import results_of
from workers.trainers.compiled import blas, gram
from workers.trainers.inputs.datasets import numpy_rows
from workers.trainers.inputs.torch_datasets import torch_rows

DAYS = np.linspace(2_436_934.0, 2_443_000.0, 300)  # as astronomers count them: float32 cannot tell two from another
DATA: dict[str, Any] = {
    "kind": "inline", "x": DAYS.tolist(), "y": (315 + 3.6e-3 * (DAYS - 2_436_934) + 3 * np.sin(DAYS / 700)).tolist()
}  # fmt: skip


def scaled(stage: str, scale: str = "standard", **spec: Any) -> Member:
    """A job as a runner gets it."""
    body = {"stage": stage, "dataset": DATA, "scale": scale, "learning_rate": "auto", "degree": 2} | spec
    given = {name: value for name, value in body.items() if value is not None}
    parsed = parse_job(json.dumps(given).encode(), load(database_url="sqlite:///unused.db"))
    member: Member = parsed.as_json | parsed.resolved
    return member


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_x_and_y_are_scaled_before_they_are_rounded(dtype: str) -> None:
    for rows in (numpy_rows, torch_rows):
        [x], [y] = rows([scaled("nn", dtype=dtype)])
        assert len(np.unique(np.asarray(x))) == 300
        assert [float(x.mean()), float(x.std()), float(y.mean()), float(y.std())] == pytest.approx(
            [0, 1, 0, 1], abs=2e-3
        )
    [x], [y] = numpy_rows([scaled("nn", "minmax", dtype=dtype)])
    assert [x.min(), x.max(), y.min(), y.max()] == [0, 1, 0, 1]


def test_a_function_is_scaled_after_it_was_made() -> None:
    data = {"kind": "function", "function": "exp", "start": 0.0, "stop": 5.0, "points": 50, "noise": 0.1}
    [x], [y] = numpy_rows([scaled("numpy", dataset=data)])
    scaling = Scaling(**scaled("numpy", dataset=data)["scaling"])
    grid = np.linspace(0, 5, 50)
    np.testing.assert_allclose(x, (grid - scaling.x_offset) / scaling.x_factor, rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(y * scaling.y_factor + scaling.y_offset, np.exp(grid), atol=0.5)
    assert [y.mean(), y.std()] == pytest.approx([0, 1])


@pytest.mark.parametrize("stage", ["numpy", "nn", "module"])
@pytest.mark.parametrize("scale", ["standard", "minmax"])
def test_it_comes_within_one_percent_of_least_squares_in_the_units_of_the_data(stage: str, scale: str) -> None:
    steps = 600 if scale == "standard" else 8_000
    member = scaled(stage, scale, steps=steps, loss={"name": "mse", "reduction": "mean"})
    trainer = trainer_of([member])
    losses = train(trainer, steps)
    assert losses[0, -1] <= 1.01 * member["attainable_loss"]
    [result] = results_of(trainer, [member])
    assert result.scaled_coefficients is not None
    y = predicted(stage, result.scaled_coefficients, DAYS, Scaling(**member["scaling"]))
    centred = DAYS - DAYS.mean()
    best = np.polyval(np.polyfit(centred, DATA["y"], 2), centred)
    assert ((y - DATA["y"]) ** 2).sum() <= 1.01 * ((best - DATA["y"]) ** 2).sum()
    assert result.coefficients is not None
    assert result.formula is not None
    assert result.formula.startswith(f"y = {result.coefficients['a']} + ")
    np.testing.assert_allclose(predicted(stage, result.coefficients, DAYS), y, rtol=1e-4)


@pytest.mark.parametrize("stage", ["numpy", "autograd", "function", "optim"])
def test_a_pack_of_jobs_that_scale_apart_has_the_bits_that_each_has_alone(stage: str) -> None:
    other = DATA | {"y": [each**2 for each in DATA["x"]]}
    own: dict[str, Any] = {"degree": None} if stage == "function" else {}
    own |= {"learning_rate": 1e-4} if stage in ("function", "optim") else {}
    members = [
        scaled(stage, **own, **change)
        for change in ({"seed": 1}, {"seed": 2, "dataset": other}, {"seed": 3, "dataset": other})
    ]
    assert_alone_equals_packed(members, [0, 1], 30)


def test_gram_and_blas_train_on_the_same_scaled_numbers() -> None:
    member = scaled("numpy", steps=200)
    eager = train(trainer_of([member]), 200)
    for engine in (gram, blas):
        np.testing.assert_allclose(np.asarray(engine.Trainer([member], "cpu").run(0, 200)).T, eager, rtol=1e-9)
