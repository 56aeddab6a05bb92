"""The trainers against the tutorial's own loops."""

import numpy as np
import pytest

from gradyard.jobs.numbers.draws import orders
from tests.tutorial_loops import LOOPS
from tests.workers.trainers.packs import member, train, trainer_of

START = {"a": 0.1, "b": -0.5, "c": 0.3, "d": -0.2, "e": 0.02}
COEFFICIENTS = {"dynamic": "abcde"}


def start_of(stage: str) -> dict[str, float]:
    return {letter: START[letter] for letter in COEFFICIENTS.get(stage, "abcd")}


@pytest.mark.parametrize("stage", ["numpy", "tensor", "autograd", "module"])
def test_every_loss_and_coefficient_is_the_tutorials_bit_for_bit(stage: str) -> None:
    job = member(stage, init=start_of(stage))
    losses, coefficients = LOOPS[stage](start_of(stage), 2000, job["learning_rate"])
    trainer = trainer_of([job])
    assert np.array_equal(train(trainer, 2000)[0], losses)
    assert trainer.coefficients() == [coefficients]


def test_the_function_stage_starts_and_ends_as_the_tutorial_does() -> None:
    start = {"a": 0.0, "b": -1.0, "c": 0.0, "d": 0.3}
    losses, coefficients = LOOPS["function"](start, 2000, 5e-6)
    trainer = trainer_of([member("function")])
    assert np.array_equal(train(trainer, 2000)[0], losses)
    assert trainer.coefficients() == [coefficients]
    assert losses[-1] == pytest.approx(8.94364, abs=1e-5)
    assert coefficients["b"] == pytest.approx(-2.2085268, abs=1e-6)


def test_the_dynamic_stage_is_the_tutorials_loop_over_our_orders() -> None:
    start = {letter: value / 100 for letter, value in start_of("dynamic").items()}
    job = member("dynamic", init=start)
    losses, coefficients = LOOPS["dynamic"](start, 1500, 1e-8, orders=orders(job["seed"], 0, 1500).tolist())
    trainer = trainer_of([job])
    assert np.array_equal(train(trainer, 1500)[0], losses)
    assert trainer.coefficients() == [coefficients]


@pytest.mark.parametrize("stage", ["nn", "optim"])
def test_the_linear_stages_differ_from_the_tutorial_by_rounding_only(stage: str) -> None:
    job = member(stage, init=start_of(stage))
    losses, _ = LOOPS[stage](start_of(stage), 100, job["learning_rate"])
    assert train(trainer_of([job]), 100)[0] == pytest.approx(losses, rel=3e-6)
