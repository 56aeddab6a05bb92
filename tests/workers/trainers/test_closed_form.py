"""Gradient descent on a quadratic has a closed form; five stages must follow it from any start."""

import math

import numpy as np
import pytest

from tests.workers.trainers.packs import differing, pack, train, trainer_of

LEAST_SQUARES = [0.0, 0.8567408430737, 0.0, -0.0933303890406]
LOWEST_LOSS = 8.817165410007


def descent(start: np.ndarray, learning_rate: float, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Losses of the steps and the weights after them: w_t = w* + (I - lr H)^t (w_0 - w*) with H = 2 X'X."""
    x = np.linspace(-math.pi, math.pi, 2000)
    basis = np.stack([x**exponent for exponent in range(4)], axis=1)
    best, (lowest,), *_ = np.linalg.lstsq(basis, np.sin(x))
    values, vectors = np.linalg.eigh(2 * basis.T @ basis)
    offset = vectors.T @ (start - best)
    decays = (1 - learning_rate * values) ** np.arange(steps + 1)[:, np.newaxis]
    losses = lowest + 0.5 * (values * (decays * offset) ** 2).sum(axis=1)
    return losses[:-1], best + vectors @ (decays[-1] * offset)


@pytest.mark.parametrize("stage", ["numpy", "tensor", "autograd", "nn", "module"])
def test_descent_follows_its_closed_form(stage: str) -> None:
    members = differing(pack(stage, 3, init="normal", dtype="float64"))
    trainer = trainer_of(members)
    starts = trainer.coefficients()
    losses = train(trainer, 1000)
    for each, start, curve, end in zip(members, starts, losses, trainer.coefficients(), strict=True):
        expected, weights = descent(np.array(list(start.values())), each["learning_rate"], 1000)
        assert curve == pytest.approx(expected, rel=1e-9)
        assert list(end.values()) == pytest.approx(weights, rel=1e-9)


def test_it_ends_at_the_least_squares_optimum() -> None:
    start = dict(zip("abcd", (each + 1e-3 for each in LEAST_SQUARES), strict=True))
    trainer = trainer_of(pack("numpy", 1, init=start, learning_rate=3e-6))
    losses = train(trainer, 5000)[0]
    assert list(trainer.coefficients()[0].values()) == pytest.approx(LEAST_SQUARES, abs=1e-10)
    assert losses[-1] == pytest.approx(LOWEST_LOSS, rel=1e-12)
