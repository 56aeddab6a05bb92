"""The eight stages, submitted over HTTP and read back over HTTP, against the tutorial's own loops."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import torch

from gradyard import Client
from gradyard.jobs.numbers.draws import orders
from gradyard.jobs.stages.registry import STAGES
from tests import tutorial_loops

pytestmark = pytest.mark.stack

LOOPS: dict[str, Callable[..., tutorial_loops.Outcome]] = {
    "numpy": tutorial_loops.numpy_loop,
    "tensor": tutorial_loops.tensor_loop,
    "autograd": tutorial_loops.autograd_loop,
    "function": tutorial_loops.function_loop,
    "nn": tutorial_loops.nn_loop,
    "optim": tutorial_loops.optim_loop,
    "module": tutorial_loops.module_loop,
    "dynamic": tutorial_loops.dynamic_loop,
}
# The tutorial's own number of steps once. Other seeds have other draws: fewer steps show these. How SQLite stores the
# bits is shown by tests/faults, which compares each job on it with a training of its own.
ALL, SOME = None, 400
ON_EACH = pytest.mark.parametrize(
    ("service", "seed", "steps"),
    [
        ("postgresql", 0, ALL),
        ("postgresql", 2**53 - 1, SOME),
        pytest.param("postgresql", 1, SOME, marks=pytest.mark.long),
        pytest.param("sqlite", 0, ALL, marks=pytest.mark.long),
        pytest.param("sqlite", 2**53 - 1, SOME, marks=pytest.mark.long),
    ],
    indirect=["service"],
)
BITWISE = ("numpy", "tensor", "autograd", "function", "module", "dynamic")


def _weights(stage: str, seed: int) -> dict[str, float]:
    """Initial weights that float32 holds exactly, so that both sides start from the same bits."""
    draws = np.random.default_rng(seed).normal(size=5).astype(np.float32) * (0.3 if stage == "function" else 1.0)
    letters = "abcde" if stage == "dynamic" else "abcd"
    return {letter: float(np.float32(value)) for letter, value in zip(letters, draws, strict=False)}


def _spec(stage: str, seed: int, steps: int | None) -> dict[str, object]:
    """The spec of the same training; `steps` None: as many as the stage has by itself."""
    spec = {"stage": stage, "seed": seed, "init": _weights(stage, seed)}
    return spec if steps is None else spec | {"steps": steps}


@cache
def _oracle(stage: str, seed: int, steps: int | None) -> tutorial_loops.Outcome:
    torch.set_num_threads(1)
    defaults = STAGES[stage].defaults()
    steps = steps or defaults["steps"]
    arguments = [_weights(stage, seed), steps, defaults["learning_rate"]]
    if stage == "dynamic":
        arguments.append(orders(seed, 0, steps).tolist())
    return LOOPS[stage](*arguments)


@ON_EACH
@pytest.mark.parametrize("stage", BITWISE)
def test_every_loss_and_coefficient_is_the_tutorials_bit_for_bit(
    client: Client, stage: str, seed: int, steps: int | None
) -> None:
    job = client.wait(client.submit(_spec(stage, seed, steps)).id, timeout=300)
    assert job.state == "succeeded", job.message
    losses, coefficients = _oracle(stage, seed, steps)
    read = client.losses(job.id)
    assert (read.dtype, read.shape) == (np.dtype(STAGES[stage].defaults()["dtype"]), losses.shape)
    assert read.astype(np.float64).tobytes() == losses.astype(np.float64).tobytes()
    assert job.result is not None
    assert job.result["coefficients"] == coefficients


@ON_EACH
@pytest.mark.parametrize("stage", ["nn", "optim"])
def test_the_linear_layers_begin_as_the_tutorials_do(client: Client, stage: str, seed: int, steps: int | None) -> None:
    job = client.wait(client.submit(_spec(stage, seed, steps)).id, timeout=300)
    assert job.state == "succeeded", job.message
    losses, _ = _oracle(stage, seed, steps)
    np.testing.assert_allclose(client.losses(job.id)[:100], losses[:100], rtol=3e-6)


def test_stage_4_ends_where_the_tutorial_ends(client: Client) -> None:
    job = client.wait(client.submit(stage="function").id, timeout=300)
    assert job.result is not None
    coefficients = job.coefficients
    assert coefficients is not None
    assert abs(coefficients["a"]) < 1e-7
    assert abs(coefficients["c"]) < 1e-7
    assert (coefficients["b"], coefficients["d"]) == pytest.approx((-2.2085268, 0.2554861), abs=2e-6)
    assert job.result["loss"]["last"] == pytest.approx(8.94364, abs=1e-4)


@pytest.mark.parametrize("stage", ["numpy", "tensor", "autograd", "nn", "module"])
def test_gradient_descent_follows_its_closed_form(client: Client, stage: str) -> None:
    start = {"a": 0.5, "b": -0.25, "c": 0.125, "d": -0.0625}
    job = client.wait(client.submit(stage=stage, init=start, dtype="float64").id, timeout=300)
    x = np.linspace(-np.pi, np.pi, 2000)
    powers = np.vander(x, 4, increasing=True)
    hessian = 2.0 * powers.T @ powers
    best, (lowest,) = np.linalg.lstsq(powers, np.sin(x), rcond=None)[:2]
    eigenvalues, vectors = np.linalg.eigh(hessian)
    away = vectors.T @ (np.array([start[letter] for letter in "abcd"]) - best)
    shrunk = (1.0 - 1e-6 * eigenvalues) ** np.arange(2000)[:, None] * away  # (steps, eigenvectors)
    expected = lowest + 0.5 * (shrunk**2 * eigenvalues).sum(axis=1)
    np.testing.assert_allclose(client.losses(job.id), expected, rtol=1e-9)
